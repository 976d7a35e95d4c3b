"""Switch units off, hold them, or add to them, and see answers change, without a forward pass where that is exact.

In the last layer of a tower that ends in an average and a projection, a changed unit moves the embedding along its own
direction: v' = v + (new - old activation) * direction. Elsewhere the layers above run again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.engine.tasks import INTERVENE
from workbench.errors import BadInput
from workbench.hooks import Intervention
from workbench.neurons.activations import BATCH, Looking
from workbench.neurons.atlas import Atlas
from workbench.neurons.layers import check_unit
from workbench.statistics.intervals import Share, proportion


@dataclass(frozen=True)
class UnitChange:
    """What is done to some units of a layer: off, held at a value, or moved by a value."""

    units: tuple[int, ...]
    kind: Literal["off", "clamp", "add"] = "off"
    value: float = 0.0  # in the units' own scale

    @property
    def target(self) -> float:
        """What `off` and `clamp` set the units to."""
        return 0.0 if self.kind == "off" else self.value

    def intervention(self, layer: str) -> Intervention:
        """Return the same change for a forward pass."""
        if self.kind == "add":
            return Intervention(layer, self.units, "add", self.value)
        return Intervention(layer, self.units, "set", self.target)


@dataclass(frozen=True)
class SwitchResult:
    """Zero-shot answers on a corpus before and after a change."""

    before: Share  # of images whose concept is among the labels, those that are named right
    after: Share
    turned: Share  # of all those images, those that get another answer
    answers_before: NDArray[np.intp]  # (n,) number of the label
    answers_after: NDArray[np.intp]


def parse_units(text: str, width: int, layer: str) -> tuple[int, ...]:
    """Read unit numbers, separated by commas or spaces.

    Raises:
        BadInput: none, something that is no number, or a unit that the layer does not have.
    """
    words = text.replace(",", " ").split()
    if not words or not all(word.isdecimal() for word in words):
        raise BadInput(f"Units are numbers separated by commas, for example: 202, 953; got {text[:60]!r}.")
    units = tuple(dict.fromkeys(int(word) for word in words))
    for unit in units:
        check_unit(unit, width, layer)
    return units


def changed_rows(atlas: Atlas, change: UnitChange) -> NDArray[np.float32]:
    """Embeddings of the corpus after a change, (n, dim) unit rows; no forward pass.

    Raises:
        Unsupported: the layer's effect on the embedding is not linear.
    """
    rows = atlas.embedded
    assert atlas.directions is not None
    units = list(change.units)
    step = change.value if change.kind == "add" else change.target - atlas.survey.values[:, units]
    moved = rows + np.broadcast_to(step, (len(rows), len(units))).astype(np.float32) @ atlas.directions[:, units].T
    unit_rows: NDArray[np.float32] = moved / np.linalg.norm(moved, axis=1, keepdims=True).clip(1e-12)
    return unit_rows


def switch(atlas: Atlas, change: UnitChange, labels: Sequence[str], *, rows: NDArray[np.float32]) -> SwitchResult:
    """Answer every image of the corpus before and after a change.

    Args:
        atlas: of the last layer.
        change: what is done to which units.
        labels: k labels.
        rows: (k, dim) their embeddings.

    Raises:
        Unsupported: the layer's effect on the embedding is not linear.
    """
    before = (atlas.embedded @ rows.T).argmax(axis=1)  # a common length changes no order
    after = (changed_rows(atlas, change) @ rows.T).argmax(axis=1)
    names = [label.lower() for label in labels]
    truth = np.array([names.index(item.concept) if item.concept in names else -1 for item in atlas.survey.items])
    known = truth >= 0
    n = int(known.sum())
    return SwitchResult(
        proportion(int((before == truth)[known].sum()), n),
        proportion(int((after == truth)[known].sum()), n),
        proportion(int((before != after)[known].sum()), n),
        before,
        after,
    )


def intervened(
    model: Looking, pixels: NDArray[np.uint8], changes: Sequence[UnitChange], *, layer: str
) -> Iterator[NDArray[np.float32]]:
    """Embed images with units changed, by forward passes, on any layer; yields (batch, dim) unit rows."""
    done = [change.intervention(layer) for change in changes]
    for at in range(0, len(pixels), BATCH):
        yield from model.stream(INTERVENE, (pixels[at : at + BATCH], done))
