"""Grad-CAM: a late layer's channels, weighted by how much each raises the score, as a coarse map."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from workbench.attribution.request import Request
from workbench.attribution.score import AttributionMap, Score
from workbench.errors import Unsupported
from workbench.hooks import hooked
from workbench.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor, nn

    from workbench.backend import Anatomy


def grad_cam(score: Score, picture: Tensor, request: Request) -> Iterator[Progress | AttributionMap]:
    """Weight a layer's channels by their mean gradient and add them up, in one step.

    Convolutional towers are read at the output of the layer. In a vision transformer the tokens are read where the
    block receives them: behind the last block only the class token counts, and the others have no gradient.
    The paper keeps the positive part; the map here is signed, and its positive part is the paper's.

    The embedding's length counts as a constant. A cosine does not change with it, so that behind an average over places
    and a linear projection the cells' shares would add up to zero whatever the image shows; with it held they add up to
    the cosine, or for the contrast to the label's cosine less those of its rivals, weighted as the gradient weights
    them (section 3.1: where the tower ends so, the map is the class activation map of that row).

    Args:
        score: the objective.
        picture: (1, 3, s, s) in 0..1.
        request: `layer` counts.

    Yields:
        The AttributionMap: map (s, s), from the layer's grid by bilinear interpolation.

    Raises:
        UnknownName: the anatomy has no such layer.
        Unsupported: the layer's values have no places.

    Source:
        Selvaraju et al. 2017, arXiv:1610.02391, section 3, equations 1 and 2.
    """
    import torch
    from captum.attr import LayerAttribution, LayerGradCam

    anatomy = score.box.anatomy
    name = request.layer or next(reversed(anatomy.layers), "")
    (layer,) = anatomy.pick([name]).values()
    maps = torch.nn.Identity()  # Captum hooks into this, never into the model
    vit = anatomy.kind == "vit"
    with hooked([(layer, partial(_through_tokens if vit else _through_maps, maps, anatomy))], inputs=vit):
        coarse = LayerGradCam(score.at_fixed_length, maps).attribute(picture).detach()  # (1, 1, rows, columns)
    rows, columns = coarse.shape[-2:]
    fine = LayerAttribution.interpolate(coarse.float(), (request.side, request.side), interpolate_mode="bilinear")
    yield AttributionMap(fine[0, 0], f"Layer {name}, a grid of {rows} x {columns}, drawn smooth.")


def _through_maps(maps: nn.Module, anatomy: Anatomy, out: Tensor) -> Tensor:
    if getattr(out, "ndim", 0) != 4:
        raise Unsupported("This layer's values do not lie on a grid; choose one of the spatial layers.")
    # a copy: what comes next may work in place, and the values are needed as they were
    copy: Tensor = maps(out.clone()).clone()
    return copy


def _through_tokens(maps: nn.Module, anatomy: Anatomy, tokens: Tensor) -> Tensor:
    import torch

    (rows, columns), prefix = anatomy.grid, anatomy.prefix_tokens
    if tokens.ndim != 3 or tokens.shape[1] != prefix + rows * columns:
        raise Unsupported(
            f"This block's tokens do not lie on the grid: expected (n, {prefix} + {rows} x {columns}, channels), "
            f"got {tuple(tokens.shape)}."
        )
    grid = tokens[:, prefix:].transpose(1, 2).reshape(len(tokens), -1, rows, columns)
    return torch.cat([tokens[:, :prefix], maps(grid.contiguous()).flatten(2).transpose(1, 2)], dim=1)
