"""What a picture without content looks like: the start of integrated gradients, and what a covered square shows.

No choice is neutral: what has the baseline's own colour gets no evidence (Sturmfels, Lundberg and Lee
2020, doi:10.23915/distill.00022), which is why the choice is the visitor's and stands in the note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.attribution.request import BaselineName

LEVELS = {"black": 0.0, "grey": 0.5, "white": 1.0}
BLUR = 0.1  # standard deviation as a share of the side
SAYS = {
    "blur": "the same picture, strongly blurred",
    "mean": "the picture's mean colour",
    "grey": "middle grey",
    "black": "black",
    "white": "white",
}


def baseline(name: BaselineName, picture: Tensor) -> Tensor:
    """Make the baseline of a picture; (1, 3, s, s) in 0..1 -> (1, 3, s, s) in 0..1."""
    import torch

    if name in LEVELS:
        return torch.full_like(picture, LEVELS[name])
    if name == "mean":
        return picture.mean(dim=(2, 3), keepdim=True).expand_as(picture).contiguous()
    return _blurred(picture)


def _blurred(picture: Tensor) -> Tensor:
    from torchvision.transforms.v2 import functional as vision

    side = picture.shape[-1]
    # a window of at most the side: what is mirrored at the edge has to exist
    radius = min(int(3 * BLUR * side), (side - 1) // 2)
    blurred: Tensor = vision.gaussian_blur(picture, [2 * radius + 1, 2 * radius + 1], [max(BLUR * side, 1e-3)] * 2)
    return blurred
