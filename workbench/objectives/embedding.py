"""Objectives in the joint space: likeness to a text or an image, a label among labels, a change of direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import BadInput
from workbench.objectives.algebra import Forward, Objective

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Cosine(Objective):
    """The cosine between an image and one of k rows."""

    rows: Tensor  # (k, dim) float32, unit rows
    at: int = 0  # the row
    name: str = "cosine"

    def score(self, forward: Forward) -> Tensor:
        """-1..1."""
        return cosines(forward, self.rows)[:, self.at]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False)
class LogOdds(Objective):
    """Why this label and not another: log(p / (1 - p)), where p is the label's softmax probability.

    Computed as scale * cos(label) - logsumexp(scale * cos(others)).
    """

    rows: Tensor  # (k, dim) float32, unit rows: the labels, at least two
    at: int  # the label
    scale: float  # what a cosine is multiplied with
    name: str = "log-odds of the label"

    def score(self, forward: Forward) -> Tensor:
        """Any real number; 0 where the label has half of the probability."""
        import torch

        values = cosines(forward, self.rows)
        others = torch.arange(values.shape[1], device=values.device) != self.at
        return self.scale * values[:, self.at] - (self.scale * values[:, others]).logsumexp(dim=1)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False)
class Directional(Objective):
    """The cosine between how an image changed and how a text changed, both from a beginning.

    Source:
        Gal et al. 2021, arXiv:2108.00946 (StyleGAN-NADA), section 3.2.
    """

    start: Tensor  # (dim,): embedding of the image at the beginning
    change: Tensor  # (dim,): target text minus source text
    name: str = "direction"

    def score(self, forward: Forward) -> Tensor:
        """-1..1; 0 where the image has not moved."""
        import torch

        moved = forward.embeddings.float() - self.start.to(forward.embeddings.device)
        change = self.change.to(moved)
        return torch.nn.functional.cosine_similarity(moved, change[None], dim=1)

    def __str__(self) -> str:
        return self.name


def text(words: str, row: Tensor) -> Cosine:
    """Likeness to a text; `row` (dim,) is its embedding."""
    return Cosine(_unit(row), name=f"text {words!r}")


def image(title: str, row: Tensor) -> Cosine:
    """Likeness to an image; `row` (dim,) is its embedding."""
    return Cosine(_unit(row), name=f"image {title!r}")


def cosines(forward: Forward, rows: Tensor) -> Tensor:
    """Cosines of n images with k unit rows, (n, k) float32."""
    return forward.embeddings.float() @ rows.to(forward.embeddings.device).T


def _unit(row: Tensor) -> Tensor:
    length = float(row.norm())
    if row.ndim != 1 or not abs(length - 1) < 1e-2:  # a NaN fails here too
        raise BadInput(f"An embedding is one row of length 1; got shape {tuple(row.shape)} and length {length:.3g}.")
    return row[None].float()
