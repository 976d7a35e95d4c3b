"""What is asked of the model: one number for a picture, whose causes the methods then look for.

Knows no method. Two objectives:
"cosine" is the plain cosine between picture and label, what the label alone says;
"contrast" is the log-odds of the label among all labels, `scale * cos(target) - logsumexp(scale * cos(others))`:
the logarithm of p / (1 - p), where p is the label's softmax probability. It asks why this label rather than another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from workbench.backend import WhiteBox
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from workbench.attribution.request import ObjectiveName, Request


class Explainable(WhiteBox, Protocol):
    """A white box that also says where it lies and how it scores."""

    @property
    def device(self) -> torch.device:
        """Where pixels have to be."""

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the weights."""

    @property
    def dim(self) -> int:
        """Width of the joint space."""

    @property
    def logit_scale(self) -> float:
        """What a cosine is multiplied with."""


@dataclass(frozen=True, eq=False)
class Score:
    """The objective of a request as a function of pixels."""

    box: Explainable
    texts: Tensor  # (k, dim) float32 on the box's device
    target: int
    objective: ObjectiveName
    scale: float

    def __call__(self, pixels: Tensor) -> Tensor:
        """(n, 3, s, s) in 0..1 -> (n,) float32, with gradient."""
        return self.of(self.box.embed_pixels(pixels))

    def of(self, embeddings: Tensor) -> Tensor:
        """(n, dim) unit rows -> (n,) float32, with gradient.

        Raises:
            WorkbenchError: the model gave NaN or infinity.
        """
        import torch

        cosines = embeddings.float() @ self.texts.T  # (n, k)
        values = cosines[:, self.target]
        if self.objective == "contrast":
            others = torch.arange(cosines.shape[1], device=cosines.device) != self.target
            values = self.scale * values - (self.scale * cosines[:, others]).logsumexp(dim=1)
        check_finite(values, "score")
        return values


@dataclass(frozen=True, eq=False)
class Finding:
    """What a method found, still on the device."""

    map: Tensor  # (s, s) signed
    note: str
    delta: float | None = None  # sum of the map minus `gained`
    gained: float | None = None  # objective of the picture minus that of the baseline


def score_of(box: Explainable, request: Request) -> Score:
    """Put a request's labels on the box's device; one label alone is scored by its cosine."""
    import torch

    texts = torch.from_numpy(request.texts.copy()).to(box.device)
    objective = request.objective if len(texts) > 1 else "cosine"
    return Score(box, texts, int(request.target), objective, box.logit_scale)


def check_finite(values: Tensor, what: str) -> None:
    """Refuse NaN and infinity.

    Raises:
        WorkbenchError: there is one.
    """
    import torch

    if not torch.isfinite(values).all():
        raise WorkbenchError(
            f"The model's {what} holds values that are no numbers (NaN or infinity), so nothing can be said about "
            f"places. Half precision can overflow: try float32. If it happens there too, the weights are damaged."
        )
