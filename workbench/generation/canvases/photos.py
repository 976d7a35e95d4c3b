"""What natural images have in common: how their colours vary together, and how strong their frequencies are.

Measured on the photos that come with scikit-image; nothing is downloaded.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

_SIDE = 256  # pixels of the squares that are measured
_COLOURED = ("cat", "coffee", "rocket", "motorcycle", "astronaut")


@functools.cache
def colour_basis() -> Tensor:
    """Matrix from independent colour axes to red, green and blue, (3, 3).

    The square root of the photos' colour covariance, its longest row scaled to length 1.

    Source:
        Olah, Mordvintsev and Schubert 2017, doi:10.23915/distill.00007, "Preconditioning and parameterization".
    """
    import torch

    colours = _squares().movedim(1, -1).flatten(0, 2)
    values, vectors = torch.linalg.eigh(torch.cov(colours.T))
    vectors = vectors * vectors.sum(dim=0).sign()  # an eigenvector's sign is free: fix it
    root = (vectors * values.clamp_min(1e-8).sqrt()).flip(1)  # brightness first
    basis: Tensor = root / root.norm(dim=1).max()
    return basis.float()


@functools.cache
def spectrum(height: int, width: int) -> Tensor:
    """Mean magnitude of the photos' frequencies on the independent colour axes, (3, height, width // 2 + 1).

    Source:
        Fel et al. 2023, arXiv:2306.06805 (MACO), section 3, which averages ImageNet.
    """
    import torch

    squares = torch.nn.functional.interpolate(_squares(), size=(height, width), mode="bilinear", antialias=True)
    both = torch.cat([squares, squares.flip(-1)])
    axes = torch.einsum("ck,nkhw->nchw", colour_basis().double().inverse(), both)
    axes = axes - axes.mean(dim=(2, 3), keepdim=True)
    strengths: Tensor = torch.fft.rfft2(axes, norm="ortho").abs()
    return strengths.mean(dim=0).float()


@functools.cache
def _squares() -> Tensor:
    """The photos' middle squares, (n, 3, 256, 256) float64 in 0..1."""
    import numpy as np
    import torch
    from PIL import ImageOps

    from workbench.pictures import sample

    squares = [ImageOps.fit(sample(key), (_SIDE, _SIDE)) for key in _COLOURED]
    return torch.stack([torch.from_numpy(np.array(square)) for square in squares]).movedim(-1, 1).double() / 255
