"""The algebra: objectives are added, subtracted and weighted, and one forward pass serves all parts of a sum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.hooks import recorded

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.backend import WhiteBox


@dataclass(frozen=True, eq=False)
class Forward:
    """What one forward pass leaves for objectives to look at, all with gradient."""

    pixels: Tensor  # (n, 3, size, size) in 0..1
    embeddings: Tensor  # (n, dim) float32, unit rows
    layers: dict[str, Tensor] = field(default_factory=dict)  # name -> (n, units, rows, columns) or (n, tokens, units)


class Objective:
    """A score for each image, high where it shows what is wanted. Subclasses give `score`, and `layers` they read."""

    @property
    def layers(self) -> frozenset[str]:
        """Names of the image tower's layers that the score reads."""
        return frozenset()

    def score(self, forward: Forward) -> Tensor:
        """Score the n images of a forward pass; (n,) float32 with gradient."""
        raise NotImplementedError

    def forward(self, box: WhiteBox, pixels: Tensor) -> Forward:
        """Run the model once for all that this objective reads.

        Args:
            box: the model.
            pixels: (n, 3, size, size) in 0..1, on the box's device.

        Raises:
            UnknownName: the image tower lacks a layer.
        """
        if not self.layers:
            return Forward(pixels, box.embed_pixels(pixels))
        with recorded(box.anatomy.pick(sorted(self.layers))) as layers:
            embeddings = box.embed_pixels(pixels)
        return Forward(pixels, embeddings, layers)

    def __call__(self, box: WhiteBox, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) in 0..1 -> (n,) float32, with gradient."""
        return self.score(self.forward(box, pixels))

    def __add__(self, other: Objective) -> Sum:
        return Sum((*_terms(self), *_terms(other)))

    def __radd__(self, other: int) -> Objective:
        return self if other == 0 else NotImplemented  # `sum` begins with 0

    def __sub__(self, other: Objective) -> Sum:
        return self + -1.0 * other

    def __neg__(self) -> Sum:
        return -1.0 * self

    def __mul__(self, factor: float) -> Sum:
        return Sum(tuple((factor * weight, term) for weight, term in _terms(self)))

    __rmul__ = __mul__


@dataclass(frozen=True)
class Sum(Objective):
    """A weighted sum of objectives."""

    terms: tuple[tuple[float, Objective], ...]  # weight, part

    @property
    def layers(self) -> frozenset[str]:
        """What all parts read."""
        return frozenset().union(*(term.layers for _, term in self.terms))

    def score(self, forward: Forward) -> Tensor:
        """Add up the parts; a weight of 1 leaves a part's value as it is, to the bit."""
        parts = [term.score(forward) if weight == 1 else weight * term.score(forward) for weight, term in self.terms]
        return sum(parts[1:], parts[0])

    def __str__(self) -> str:
        text = ""
        for weight, term in self.terms:
            sign = ("-" if weight < 0 else "") if not text else (" - " if weight < 0 else " + ")
            text += f"{sign}{term}" if abs(weight) == 1 else f"{sign}{abs(weight):g} * {term}"
        return text


def _terms(objective: Objective) -> tuple[tuple[float, Objective], ...]:
    return objective.terms if isinstance(objective, Sum) else ((1.0, objective),)
