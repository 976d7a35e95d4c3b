"""A unit's page as one HTML file: no network, no scripts; images stand inside it."""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.neurons.activations import unit_maps
from workbench.neurons.corpus import CorpusItem, open_item
from workbench.neurons.unit import SHOWN, GalleryImage, UnitReport
from workbench.results.html import data_uri

if TYPE_CHECKING:
    from jinja2 import Environment
    from PIL import Image

    from workbench.neurons.activations import Looking

SIDE = 112  # pixels of a thumbnail
OPACITY = 0.5  # of the map over an image


def render(report: UnitReport, *, where: Mapping[str, str] | None = None) -> str:
    """Return the page.

    Args:
        report: the unit.
        where: key of an image -> data URI of the image with the unit's map over it; see `places`.
    """
    return _environment().get_template("page.html.j2").render(**_context(report, where))


def fragment(report: UnitReport, part: str, *, where: Mapping[str, str] | None = None) -> str:
    """Return one part of the page, escaped: "strongest", "used", "range", "histogram", "words", "names" or "forms"."""
    template = _environment().from_string("{% import 'parts.html.j2' as parts with context %}{{ parts[part](report) }}")
    return template.render(part=part, **_context(report, where))


def images_html(shown: Sequence[GalleryImage], *, notes: Sequence[str] = ()) -> str:
    """Return a gallery alone, escaped; each note stands in place of the activation."""
    template = _environment().from_string(
        "{% import 'parts.html.j2' as parts with context %}{{ parts.images(shown, 'Images', notes) }}"
    )
    return template.render(shown=shown, notes=notes, where={}, picture=thumbnail)


def style() -> str:
    """Return the style of galleries and figures."""
    return (Path(__file__).with_name("templates") / "unit.css").read_text(encoding="utf-8")


@functools.lru_cache(maxsize=4096)
def thumbnail(item: CorpusItem) -> str:
    """Return a small square of an item as a data URI; an image that is gone leaves an empty one."""
    from workbench.errors import BadInput

    try:
        image = open_item(item)
    except BadInput:
        return "data:,"
    image.thumbnail((2 * SIDE, 2 * SIDE))
    return data_uri(_square(image), "JPEG", quality=80)


def places(model: Looking, report: UnitReport) -> dict[str, str]:
    """Show where the unit is active in the strongest images; key -> data URI."""
    shown = report.strongest[:SHOWN]
    images = [open_item(one.item) for one in shown]
    maps = unit_maps(model, images, layer=report.layer, unit=report.unit)
    highest = float(np.abs(maps).max()) or 1.0
    return {
        one.item.key: data_uri(overlaid(image, cells, highest=highest), "JPEG", quality=80)
        for one, image, cells in zip(shown, images, maps, strict=True)
    }


def overlaid(image: Image.Image, cells: NDArray[np.float32], *, highest: float = 0.0) -> Image.Image:
    """Lay a unit's cells over what the tower saw of an image.

    Args:
        image: upright RGB.
        cells: (rows, columns).
        highest: the activation that is drawn fullest; this image's own where 0.
    """
    from PIL import Image as images

    from workbench.attribution import overlay

    square = _square(image)
    smooth = np.asarray(images.fromarray(cells).resize(square.size, images.Resampling.BICUBIC), np.float32)
    own = float(np.abs(cells).max())
    opacity = OPACITY * (own / highest if highest else 1.0)
    return overlay(square, smooth, min(opacity, 1.0), signed=bool(cells.min() < 0))


def _context(report: UnitReport, where: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what the templates need."""
    tallest = max(count for _, _, count in report.counts)
    drawn = _environment().get_template("histogram.svg.j2").render(report=report, tallest=tallest)
    return {
        "report": report,
        "where": where or {},
        "picture": thumbnail,
        "histogram_uri": "data:image/svg+xml;base64," + base64.b64encode(drawn.encode()).decode(),
    }


def _square(image: Image.Image) -> Image.Image:
    """What a tower sees: the centre."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side)).resize((SIDE, SIDE)).convert("RGB")


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
