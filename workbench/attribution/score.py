"""The objective of a request as a function of pixels, and what a method returns.

Two objectives: "cosine" is the plain cosine between image and label; "contrast" is the log-odds of the label among all
labels. Both are of `workbench.objectives`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.objectives import Cosine, Forward, LogOdds, Objective

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.attribution.request import Deletion, Request
    from workbench.backend import WhiteBox


@dataclass(frozen=True, eq=False)
class Score:
    """An objective of a model as a function of pixels, as Captum wants it."""

    box: WhiteBox
    objective: Objective

    def __call__(self, pixels: Tensor) -> Tensor:
        """(n, 3, s, s) in 0..1 -> (n,) float32, with gradient.

        Raises:
            WorkbenchError: the model returned NaN or infinity.
        """
        return check_finite(self.objective(self.box, pixels), "score")

    def at_fixed_length(self, pixels: Tensor) -> Tensor:
        """The same values, (n,); their gradient takes the length of each embedding as a constant.

        Raises:
            WorkbenchError: the model returned NaN or infinity.
        """
        rows = self.box.embed_raw(pixels)
        return self.of(Forward(pixels, rows / rows.detach().norm(dim=-1, keepdim=True).clamp(min=1e-12)))

    def of(self, forward: Forward) -> Tensor:
        """The same for images that went through the model already."""
        return check_finite(self.objective.score(forward), "score")


@dataclass(frozen=True, eq=False)
class AttributionMap:
    """What a method computed, still on the device."""

    map: Tensor  # (s, s) signed
    note: str
    delta: float | None = None  # sum of the map minus `gained`
    gained: float | None = None  # objective of the image minus that of the baseline
    deletion: Deletion | None = None


def score_of(box: WhiteBox, request: Request) -> Score:
    """Put a request's labels on the box's device; one label alone is scored by its cosine."""
    import torch

    rows = torch.from_numpy(request.texts.copy()).to(box.device)
    at = int(request.target)
    if request.objective == "contrast" and len(rows) > 1:
        return Score(box, LogOdds(rows, at, box.logit_scale))
    return Score(box, Cosine(rows, at))


def check_finite(values: Tensor, what: str) -> Tensor:
    """Return the values.

    Raises:
        WorkbenchError: there is NaN or infinity among them.
    """
    import torch

    if not torch.isfinite(values).all():
        raise WorkbenchError(
            f"The model's {what} has NaN or infinity, so that nothing can be attributed. Half precision can overflow: "
            f"try float32. If it happens there too, the weights are damaged."
        )
    return values
