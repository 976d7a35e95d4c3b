"""What an attacker maximises: losses that are high where an image is taken for something that it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.objectives.algebra import Forward, Objective

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.backend import WhiteBox

Loss = Literal["ce", "dlr"]


@dataclass(frozen=True, eq=False)
class Goal(Objective):
    """To have n images taken for another of their k labels."""

    weights: Tensor  # (n, k, dim), unit rows: each image's own labels
    truth: Tensor  # (n,) int64: the place of the true one
    loss: Loss  # cross-entropy, or the difference of logits ratio
    scale: float  # of cosines within the cross-entropy
    onward: bool = False  # whether to go on where an image is wrong already, for another model to be shown

    def score(self, forward: Forward) -> Tensor:
        """The loss of each image; (n,)."""
        import torch

        cosines = self._cosines(forward)
        if self.loss == "ce":
            return torch.nn.functional.cross_entropy(cosines * self.scale, self.truth, reduction="none")
        return ratio(cosines, self.truth)

    def look(self, box: WhiteBox, pixels: Tensor, at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Embed images, the `at`-th (m,) of all: losses (m,), whether to go on (m,), gradients (m, 3, h, w)."""
        import torch

        some = Goal(self.weights[at], self.truth[at], self.loss, self.scale)
        forward = some.forward(box, pixels.detach().requires_grad_())
        losses = some.score(forward)
        (gradients,) = torch.autograd.grad(losses.sum(), forward.pixels)
        right = rounded(some._cosines(forward)).argmax(dim=1) == some.truth
        return losses.detach(), right | self.onward, gradients

    def _cosines(self, forward: Forward) -> Tensor:
        import torch

        return torch.einsum("md,mkd->mk", forward.embeddings, self.weights)

    def __str__(self) -> str:
        loss = "cross-entropy" if self.loss == "ce" else "difference of logits ratio"
        return f"{loss} of the true label among {self.weights.shape[1]}"


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
    """Drop the last bits of a sum, as the score stage of the audit does."""
    return (cosines * 1e6).round() / 1e6
