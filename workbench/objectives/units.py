"""Objectives inside the image tower: one unit, or a direction of a layer, everywhere or at one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.errors import BadInput
from workbench.objectives.algebra import Forward, Objective

if TYPE_CHECKING:
    from torch import Tensor

Place = Literal["mean", "max", "centre"]


@dataclass(frozen=True)
class UnitActivation(Objective):
    """How strongly one unit fires: a channel of a map, or a position along the width of tokens."""

    layer: str  # a name in the anatomy's layers, or "last"
    unit: int
    place: Place = "mean"  # over all cells or tokens, the strongest one, or the one in the middle

    @property
    def layers(self) -> frozenset[str]:
        """The one layer."""
        return frozenset((self.layer,))

    def score(self, forward: Forward) -> Tensor:
        """In the unit's own scale.

        Raises:
            BadInput: the layer has no such unit.
        """
        cells = _cells(forward.layers[self.layer])
        if not 0 <= self.unit < cells.shape[-1]:
            raise BadInput(f"Layer {self.layer} has the units 0 to {cells.shape[-1] - 1}; got {self.unit}.")
        return _at(cells[..., self.unit], self.place)

    def __str__(self) -> str:
        return f"unit {self.unit} of {self.layer} ({self.place})"


@dataclass(frozen=True, eq=False)
class Direction(Objective):
    """How far a layer points along a direction.

    Source:
        Olah, Mordvintsev and Schubert 2017, doi:10.23915/distill.00007; the product with a power of the cosine
        follows Carter et al. 2019, doi:10.23915/distill.00015.
    """

    layer: str
    vector: Tensor  # (channels,) or (width,)
    place: Place = "mean"
    power: float = 0.0  # the product is multiplied with the cosine, at least 0.1, to this power
    name: str = "direction"

    @property
    def layers(self) -> frozenset[str]:
        """The one layer."""
        return frozenset((self.layer,))

    def score(self, forward: Forward) -> Tensor:
        """The product with the direction.

        Raises:
            BadInput: the layer has another width.
        """
        import torch

        cells = _cells(forward.layers[self.layer]).float()
        vector = self.vector.to(cells)
        if vector.shape != cells.shape[-1:]:
            raise BadInput(f"Layer {self.layer} has {cells.shape[-1]} units; got a direction {tuple(vector.shape)}.")
        products = cells @ vector
        if self.power:
            likeness = torch.nn.functional.cosine_similarity(cells, vector.expand_as(cells), dim=-1)
            products = products * likeness.clamp_min(0.1) ** self.power
        return _at(products, self.place)

    def __str__(self) -> str:
        return f"{self.name} in {self.layer} ({self.place})"


def _cells(values: Tensor) -> Tensor:
    """(n, channels, rows, columns) or (n, tokens, width) -> (n, cells, units)."""
    return values.flatten(2).transpose(1, 2) if values.ndim == 4 else values


def _at(values: Tensor, place: Place) -> Tensor:
    """(n, cells) -> (n,). The centre of an even grid is the cell after the middle, as in lucid."""
    if place == "mean":
        return values.float().mean(dim=1)
    if place == "max":
        return values.float().amax(dim=1)
    side = round(values.shape[1] ** 0.5)
    return values[:, (side // 2) * side + side // 2 if side * side == values.shape[1] else values.shape[1] // 2].float()
