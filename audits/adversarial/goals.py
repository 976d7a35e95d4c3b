"""What an attacker climbs: losses that are high where a picture is taken for something it is not.

Knows no picture, only embeddings; the labels are the same as without an attack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.backend import WhiteBox

Loss = Literal["ce", "dlr"]


@dataclass(frozen=True)
class Goal:
    """To have n pictures taken for another of their k labels."""

    weights: Tensor  # (n, k, dim), unit rows: each picture's own labels
    truth: Tensor  # (n,) int64: the place of the true one
    loss: Loss  # cross-entropy, or the difference of logits ratio
    scale: float  # of cosines within the cross-entropy
    onward: bool = False  # whether to climb on where a picture is wrong already, for another model to be shown

    def look(self, box: WhiteBox, pixels: Tensor, at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Embed pictures, the `at`-th (m,) of all: losses (m,), whether to climb on (m,), gradients (m, 3, h, w)."""
        import torch

        points = pixels.detach().requires_grad_()
        cosines = torch.einsum("md,mkd->mk", box.embed_pixels(points), self.weights[at])
        losses = self._losses(cosines, self.truth[at])
        (gradients,) = torch.autograd.grad(losses.sum(), points)
        right = rounded(cosines).argmax(dim=1) == self.truth[at]
        return losses.detach(), right | self.onward, gradients

    def _losses(self, cosines: Tensor, truth: Tensor) -> Tensor:
        import torch

        if self.loss == "ce":
            return torch.nn.functional.cross_entropy(cosines * self.scale, truth, reduction="none")
        return ratio(cosines, truth)


def ratio(logits: Tensor, truth: Tensor) -> Tensor:
    """Difference of logits ratio: (n, k) and (n,) -> (n,); positive where the answer is wrong, whatever the scale.

    With two labels, which have no third logit, the difference alone.

    Source:
        Croce and Hein 2020, arXiv:2003.01690, equation 6.
    """
    import torch

    ordered = logits.sort(dim=1, descending=True).values
    true = logits.gather(1, truth[:, None])[:, 0]
    others = logits.masked_fill(torch.nn.functional.one_hot(truth, logits.shape[1]).bool(), -torch.inf).amax(dim=1)
    if logits.shape[1] < 3:
        return others - true
    return (others - true) / (ordered[:, 0] - ordered[:, 2] + 1e-12)


def rounded(cosines: Tensor) -> Tensor:
    """Cut the last bits of a sum off, as the score stage does."""
    return (cosines * 1e6).round() / 1e6
