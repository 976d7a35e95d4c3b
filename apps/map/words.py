"""Texts, rows and the canvas of the map view."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.retrieval.projection import Projection

IDLE = "Choose images and texts, then press “Draw the map”."
HEADERS = ["name", "kind", "group"]
ROWS = 200  # of the table
EXPLAINED = """
Each point is an image (disc) or a text (square), placed by the two directions in which the vectors differ most (PCA).
Images and texts of a CLIP model lie in two clouds with a gap between them; **centring** subtracts each cloud's mean, so
that what belongs together comes to lie together. Distances on a map are rough: read neighbours, not lengths.

Draw a lasso with mouse or finger to list what it holds. With the keyboard, Enter on the map lists everything and Escape
nothing; the table beside it holds the same points.
"""


@dataclass(frozen=True)
class MapPoint:
    """One image or text on the map."""

    name: str
    kind: str  # image or text
    group: str  # what it is coloured by


def canvas(points: Sequence[MapPoint], projection: Projection) -> str:
    """Return the map as HTML; positions become 0..1, names of texts stand beside their squares."""
    places = projection.positions - projection.positions.min(axis=0)
    places = places / np.maximum(places.max(axis=0), 1e-9)
    groups = {name: number for number, name in enumerate(dict.fromkeys(point.group for point in points))}
    drawn = [
        [round(float(x), 4), round(float(y), 4), groups[point.group], point.name[:40] if point.kind == "text" else ""]
        for point, (x, y) in zip(points, places, strict=True)
    ]
    data = html.escape(json.dumps(drawn), quote=True)
    images = sum(point.kind == "image" for point in points)
    alt = f"Map of {images} images and {len(points) - images} texts; the table beside it lists them."
    return f'<div><canvas class="map" tabindex="0" role="img" aria-label="{alt}" data-points="{data}"></canvas></div>'


def status(points: Sequence[MapPoint], projection: Projection, *, centred: bool) -> str:
    """Say what is shown, and how far apart images and texts lie."""
    images = sum(point.kind == "image" for point in points)
    lines = [f"**{images} images and {len(points) - images} texts.**"]
    if projection.explained is not None:
        lines.append(f"The two axes hold {projection.explained:.0%} of the variance.")
    if projection.gap:
        lines.append(f"Modality gap: {projection.gap:.2f} (distance of the means of unit vectors, 0 to 2)")
        lines[-1] += ", closed on this map by centring." if centred else "."
    return " ".join(lines)


def rows(points: Sequence[MapPoint]) -> list[list[str]]:
    """Return points as rows of text, at most 200."""
    return [[point.name, point.kind, point.group] for point in points[:ROWS]]
