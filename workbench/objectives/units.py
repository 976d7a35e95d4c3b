"""Objectives inside the image tower: one unit, or a direction of a layer, everywhere or at one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.errors import BadInput
from workbench.objectives.algebra import Forward, Objective

if TYPE_CHECKING:
    from torch import Tensor

Place = Literal["mean", "max", "centre", "first"]


@dataclass(frozen=True)
class UnitActivation(Objective):
    """How strongly one unit fires: a channel of a map, or a position along the width of tokens."""

    layer: str  # a name in the anatomy's layers, or "last"
    unit: int
    place: Place = "mean"  # over all cells or tokens, the strongest, the middle one, the class token

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


@dataclass(frozen=True)
class UnitShare(Objective):
    """How much of a layer's activation lies on one unit: the cosine of the layer's activations with the unit's axis.

    Stands on the scale of the cosines that it is added to, whatever the layer's own scale.
    """

    activation: UnitActivation

    @property
    def layers(self) -> frozenset[str]:
        """The unit's layer."""
        return self.activation.layers

    def score(self, forward: Forward) -> Tensor:
        """-1..1; 0 for a silent unit.

        Raises:
            BadInput: the layer has no such unit.
        """
        unit = self.activation
        every = _at(_cells(forward.layers[unit.layer]), unit.place)
        share: Tensor = unit.score(forward) / every.norm(dim=1).clamp_min(1e-6)
        return share

    def __str__(self) -> str:
        return f"share of {self.activation}"


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


@dataclass(frozen=True, eq=False)
class Faceted(Objective):
    """How far what raises a unit lies along what tells the images of a facet apart: w . (g * df/dg).

    The gradient counts as a constant.

    Source:
        Goh et al. 2021, doi:10.23915/distill.00030, appendix "Faceted feature visualization".
    """

    unit: UnitActivation
    layer: str  # below the unit's; its activations are g
    weights: Tensor  # (channels,) or (width,): a linear probe of the facet

    @property
    def layers(self) -> frozenset[str]:
        """The unit's layer, and the one below."""
        return frozenset((self.unit.layer, self.layer))

    def score(self, forward: Forward) -> Tensor:
        """In the unit's own scale, where the weights' mean absolute value is 1."""
        import torch

        below = forward.layers[self.layer]
        (slope,) = torch.autograd.grad(self.unit.score(forward).sum(), below, retain_graph=True)
        parts = _cells(below) * _cells(slope.detach())
        return (parts.float() @ self.weights.to(parts.device).float()).sum(dim=1)

    def __str__(self) -> str:
        return f"{self.unit} by a facet of {self.layer}"


@dataclass(frozen=True, eq=False)
class Manner(Objective):
    """On which side of a linear probe of a facet an image lies, on the scale of the cosines that it is added to."""

    along: Direction  # the probe's weights
    middle: float  # between the facet's images and others, in the direction's scale
    reach: float  # from the middle to the mean of either

    @property
    def layers(self) -> frozenset[str]:
        """The probe's layer."""
        return self.along.layers

    def score(self, forward: Forward) -> Tensor:
        """-1..1; 0 in the middle, 0.76 at the mean of the facet's images."""
        score: Tensor = ((self.along.score(forward) - self.middle) / self.reach).tanh()
        return score

    def __str__(self) -> str:
        return f"manner: {self.along}"


@dataclass(frozen=True)
class Sameness(Objective):
    """How alike the images of a batch are to a layer: the mean cosine of their Gram matrices.

    Source:
        Olah, Mordvintsev and Schubert 2017, doi:10.23915/distill.00007, "Diversity".
    """

    layer: str

    @property
    def layers(self) -> frozenset[str]:
        """The one layer."""
        return frozenset((self.layer,))

    def score(self, forward: Forward) -> Tensor:
        """0..1; 0 for an image alone."""
        import torch

        cells = _cells(forward.layers[self.layer]).float()  # (n, cells, units)
        products = torch.einsum("iau,jbu->ijab", cells, cells).square().sum(dim=(2, 3))  # of the Gram matrices
        lengths = products.diagonal().clamp_min(1e-12).sqrt()
        alike = products / (lengths[:, None] * lengths)
        return (alike.sum(dim=1) - alike.diagonal()) / max(len(cells) - 1, 1)

    def __str__(self) -> str:
        return f"sameness in {self.layer}"


@dataclass(frozen=True, eq=False)
class Waking(Objective):
    """Wakes a rectified unit that is silent, and so has no gradient: its direction's cosine, until it responds."""

    unit: UnitActivation
    direction: Tensor  # (dim,) where the unit moves the embedding
    enough: float  # the activation from which on this objective is 0

    @property
    def layers(self) -> frozenset[str]:
        """The unit's layer."""
        return self.unit.layers

    def score(self, forward: Forward) -> Tensor:
        """-1..1; 0 for images that the unit responds to."""
        import torch

        rows = forward.embeddings.float()
        cosine = torch.nn.functional.cosine_similarity(rows, self.direction.to(rows)[None], dim=1)
        return cosine * (self.unit.score(forward).detach() < self.enough)


def _cells(values: Tensor) -> Tensor:
    """(n, channels, rows, columns) or (n, tokens, width) -> (n, cells, units)."""
    return values.flatten(2).transpose(1, 2) if values.ndim == 4 else values


def _at(values: Tensor, place: Place) -> Tensor:
    """(n, cells, …) -> (n, …). The centre of an even grid is the cell after the middle, as in lucid."""
    if place == "mean":
        return values.float().mean(dim=1)
    if place == "first":
        return values[:, 0].float()
    if place == "max":
        return values.float().amax(dim=1)
    side = round(values.shape[1] ** 0.5)
    return values[:, (side // 2) * side + side // 2 if side * side == values.shape[1] else values.shape[1] // 2].float()
