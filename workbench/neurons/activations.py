"""Activations of a layer for a whole corpus, streamed: a few batches of pixels are in memory, never all.

A unit is a channel of a map, or a position along the width of tokens. Its activation on an image is the mean over the
map's cells; in a ViT it is the value at the class token, which alone reaches the answer in the last block.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.embedding.prefetch import MAX_WORKERS, prefetch
from workbench.engine.tasks import LAYER, UNIT_MAPS
from workbench.errors import BadInput, BadPicture
from workbench.neurons.corpus import CorpusItem, open_item
from workbench.neurons.layers import check_unit, layer_name
from workbench.progress import Progress

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from workbench.backend import Anatomy
    from workbench.engine.task import Task

BATCH = 32  # images of one step on the device


class Looking(Protocol):
    """What a survey needs of a session or a loaded model."""

    @property
    def anatomy(self) -> Anatomy:
        """Layers of the image tower."""

    @property
    def fingerprint(self) -> str:
        """Hash of weights, preprocessing and dtype."""

    @property
    def device(self) -> object:
        """Where the image tower is."""

    def prepare(self, image: Image.Image) -> Tensor:
        """(3, size, size) uint8."""

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """(n, dim) unit rows."""

    def stream(self, task: Task, payload: Any) -> Iterator[Any]:
        """Run a task on the device."""


@dataclass(frozen=True, eq=False)
class Survey:
    """What every unit of a layer does on every image of a corpus."""

    items: tuple[CorpusItem, ...]  # n, those that could be opened
    layer: str  # a name in the anatomy's layers
    values: NDArray[np.float32]  # (n, units) activations
    embeddings: NDArray[np.float32]  # (n, dim) unit rows
    fingerprint: str  # of the model
    failed: tuple[str, ...] = ()  # keys of images that could not be opened

    def of(self, unit: int) -> NDArray[np.float32]:
        """Return one unit's activations, (n,).

        Raises:
            BadInput: the layer has no such unit.
        """
        check_unit(unit, self.values.shape[1], self.layer)
        return self.values[:, unit]


def survey(
    model: Looking,
    items: Sequence[CorpusItem],
    layer: str,
    *,
    start: int = 0,
    check: Callable[[], None] = lambda: None,
    opened: Callable[[CorpusItem], Image.Image] = open_item,
) -> Iterator[Progress | Survey]:
    """Stream a corpus through the image tower; yields progress after each batch and each part's `Survey`.

    The parts are small surveys of at most 32 images, to be joined by `join` or written as they come.

    Args:
        model: a session or a loaded model.
        items: the corpus.
        layer: a name in the anatomy's layers, or "last".
        start: images that were done before, to be skipped.
        check: called while waiting; may raise to stop.
        opened: renders or opens an item; may raise `BadPicture`.

    Raises:
        BadInput: no image.
    """
    if not items:
        raise BadInput("A corpus needs at least one image; got none.")
    name = layer_name(model.anatomy, layer)

    begun, done = time.monotonic(), start
    for batch in prepared_batches(model, items[start:], check=check, opened=opened):
        if batch.items:
            (rows,) = model.stream(LAYER, (batch.pixels, name))
            yield Survey(batch.items, name, rows.pooled, rows.embeddings, model.fingerprint, batch.failed)
        else:
            empty = np.zeros((0, 0), np.float32)
            yield Survey((), name, empty, empty, "", batch.failed)
        done += len(batch.items) + len(batch.failed)
        yield Progress.timed(
            done, len(items), "images", seconds=time.monotonic() - begun, computed=done - start, stage="activations"
        )


class PreparedBatch(NamedTuple):
    """At most 32 images of a corpus, ready for the device."""

    items: tuple[CorpusItem, ...]  # n, those that could be opened
    pixels: NDArray[np.uint8]  # (n, 3, size, size); (0,) where none could
    failed: tuple[str, ...]  # keys of images that could not be opened


def prepared_batches(
    model: Looking,
    items: Sequence[CorpusItem],
    *,
    check: Callable[[], None],
    opened: Callable[[CorpusItem], Image.Image] = open_item,
) -> Iterator[PreparedBatch]:
    """Open and prepare images, some batches ahead of a GPU; see `survey` for the arguments.

    Beside a tower on the CPU nothing is prepared: its threads wait for each other in a loop, and one that has to share
    a core holds up all of them.
    """
    on_cpu = str(model.device) == "cpu"
    ahead, workers = (0, min(MAX_WORKERS, os.cpu_count() or 1)) if on_cpu else (2, None)

    def prepare(item: CorpusItem) -> tuple[CorpusItem, Tensor | None]:
        try:
            return item, model.prepare(opened(item))
        except BadPicture:
            return item, None

    rest = iter(items)
    groups = iter(lambda: list(islice(rest, BATCH)), [])
    for prepared in prefetch(groups, prepare, ahead=ahead, workers=workers, check=check):
        ready = [(item, pixels.numpy()) for item, pixels in prepared if pixels is not None]
        yield PreparedBatch(
            tuple(item for item, _ in ready),
            np.stack([pixels for _, pixels in ready]) if ready else np.zeros(0, np.uint8),
            tuple(item.key for item, pixels in prepared if pixels is None),
        )


def join(parts: Sequence[Survey]) -> Survey:
    """Put the parts of a survey together.

    Raises:
        BadInput: no image of the corpus could be opened.
    """
    full = [part for part in parts if part.items]
    if not full:
        first = next((key for part in parts for key in part.failed), "none")
        raise BadInput(f"No image of the corpus could be opened; the first is {first[-120:]!r}.")
    return Survey(
        tuple(item for part in full for item in part.items),
        full[0].layer,
        np.concatenate([part.values for part in full]),
        np.concatenate([part.embeddings for part in full]),
        full[0].fingerprint,
        tuple(key for part in parts for key in part.failed),
    )


def unit_maps(model: Looking, images: Sequence[Image.Image], *, layer: str, unit: int) -> NDArray[np.float32]:
    """Where in each image a unit is active; (n, rows, columns) in the unit's own scale."""
    pixels = np.stack([model.prepare(image).numpy() for image in images])
    parts = [
        next(iter(model.stream(UNIT_MAPS, (pixels[at : at + BATCH], layer, unit))))
        for at in range(0, len(pixels), BATCH)
    ]
    return np.concatenate(parts)
