"""From settings to images of a unit: the facet is learned, a device paints, and the whole images are measured."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.engine.tasks import LAYER, VISUALISE
from workbench.errors import BadInput, Unsupported
from workbench.neurons.activations import Survey, join, survey
from workbench.neurons.atlas import find_atlas
from workbench.neurons.corpus import CorpusItem, built_in
from workbench.neurons.facets import facet_layer, learn_facet
from workbench.neurons.kept_paintings import (
    facet_key,
    find_facet,
    find_painting,
    keep_facet,
    keep_painting,
    painting_key,
)
from workbench.neurons.layers import check_unit, layer_name
from workbench.neurons.visualisation import Facet, UnitImageJob, UnitImages, UnitImageSettings, side_by_side
from workbench.progress import Progress
from workbench.statistics.intervals import Share, proportion

if TYPE_CHECKING:
    from PIL import Image

    from workbench.engine import Session

KEY = "clip_workbench"  # of the PNG's text
SAMPLE = 40  # images that a unit's spread is taken from, where there is no atlas


@dataclass(frozen=True, eq=False)
class Visualisation:
    """Images of a unit, with what is known of them."""

    images: UnitImages
    activations: tuple[float, ...]  # of the whole images, as the model sees any other image
    beats: tuple[Share, ...]  # for each, the share of corpus images with a lower activation
    strongest: float  # in the corpus
    facet: Facet | None
    model: str  # its key
    fingerprint: str
    kept: bool = False  # painted before, for the same question

    @property
    def description(self) -> dict[str, Any]:
        """Settings and measurements, as the PNG and `--json` say them."""
        facet = self.facet
        return {
            "visualisation": dataclasses.asdict(self.images.settings),
            "model": self.model,
            "model_fingerprint": self.fingerprint,
            "activations": [round(value, 4) for value in self.activations],
            "beats": [share.value for share in self.beats],
            "corpus": self.beats[0].n,
            "strongest_in_corpus": round(self.strongest, 4),
            "facet": facet and {"name": facet.name, "layer": facet.layer, "accuracy": facet.accuracy.value},
        }


def visualise(
    session: Session,
    settings: UnitImageSettings,
    *,
    facet: str = "",
    own: Sequence[CorpusItem] = (),
    start: NDArray[np.uint8] | None = None,
) -> Iterator[Progress | Visualisation]:
    """Yield progress, with previews while it paints, and the images at the end; the same question is painted once.

    Args:
        session: with the model.
        settings: of the images; their layer may be "last".
        facet: photo, drawing or word; or any name, with `own` images; or none.
        own: images of the facet.
        start: (side, side, 3), where painting begins with an image.

    Raises:
        UnknownName, BadInput: no such layer, unit or facet, or a start image of another size.
        Unsupported: the model has no layers or no gradients, or no layer lies below the unit's.
        Busy, Cancelled, DeadlinePassed, OutOfResources: see `scheduler`.
    """
    layer = layer_name(session.anatomy, settings.layer)
    if session.spec.loader == "fake":
        raise Unsupported(f"{session.spec.title} has no gradients to follow; choose a real model, such as pocket.")
    if start is not None and start.shape != (settings.side, settings.side, 3):
        raise BadInput(f"The start image has to be {settings.side} pixels square; got {start.shape[:2]}.")
    if facet:
        facet_layer(session, layer)  # refuses the first layer before anything is looked at
    settings = dataclasses.replace(settings, layer=layer)
    values = yield from _corpus_values(session, settings)
    learned = (yield from _facet(session, facet, layer, own=own, seed=settings.seed)) if facet else None
    job = UnitImageJob(settings, max(float(values.std()), 1e-6), learned, start)
    key = painting_key(session.fingerprint, job)
    before = find_painting(session.kept, key, job)
    if before is not None:
        yield dataclasses.replace(judged(session, before, values, facet=learned), kept=True)
        return
    for step in session.stream(VISUALISE, job):
        if isinstance(step, UnitImages):
            keep_painting(session.kept, key, step)
            yield judged(session, step, values, facet=learned)
        else:
            yield step


def judged(
    session: Session, images: UnitImages, values: NDArray[np.float32], *, facet: Facet | None = None
) -> Visualisation:
    """Look at whole images as at any other: how strongly the unit responds, beside a corpus.

    Args:
        session: with the model.
        images: painted ones.
        values: (n,) the unit's activations on the corpus.
        facet: that they were painted with.
    """
    settings = images.settings
    pixels = np.stack([session.prepare(image).numpy() for image in _pictures(images)])
    (rows,) = session.stream(LAYER, (pixels, settings.layer))
    own = [float(value) for value in rows.pooled[:, settings.unit]]
    return Visualisation(
        images,
        tuple(own),
        tuple(proportion(int((values < value).sum()), len(values)) for value in own),
        float(values.max()),
        facet,
        session.spec.key,
        session.fingerprint,
    )


def to_png(made: Visualisation) -> bytes:
    """Encode the images side by side as PNG; its text holds every setting."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt(KEY, json.dumps(made.description, sort_keys=True))
    file = io.BytesIO()
    Image.fromarray(side_by_side(made.images.pixels)).save(file, format="PNG", pnginfo=info)
    return file.getvalue()


def _pictures(images: UnitImages) -> list[Image.Image]:
    from PIL import Image

    return [Image.fromarray(one) for one in images.pixels]


def _facet(
    session: Session, name: str, layer: str, *, own: Sequence[CorpusItem], seed: int
) -> Generator[Progress, None, Facet]:
    """Return a facet, learned now or before; yields progress."""
    below = facet_layer(session, layer)
    key = facet_key(session.fingerprint, name, below, seed=seed)
    known = None if own else find_facet(session.kept, key, name=name, layer=below)
    if known is not None:
        return known
    for step in learn_facet(session, name, layer, own=own, seed=seed):
        if isinstance(step, Facet):
            if not own:
                keep_facet(session.kept, key, step)
            return step
        yield step
    raise AssertionError("learning ends in a facet")


def _corpus_values(session: Session, settings: UnitImageSettings) -> Generator[Progress, None, NDArray[np.float32]]:
    """Return the unit's activations on the atlas's images, or on a sample of the built-in ones; yields progress."""
    atlas = find_atlas(session, settings.layer)
    if atlas is not None:
        return atlas.survey.of(settings.unit)
    items = built_in()
    parts = []
    for step in survey(session, items[:: max(1, len(items) // SAMPLE)], settings.layer):
        if isinstance(step, Survey):
            parts.append(step)
            check_unit(settings.unit, step.values.shape[1], settings.layer)
        else:
            yield step
    return join(parts).of(settings.unit)
