"""Attention relevance: how strongly each patch reaches the answer through the attention of all blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workbench.attribution.request import Request
from workbench.attribution.score import AttributionMap, Score
from workbench.errors import Unsupported
from workbench.objectives import Forward
from workbench.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.backend import Anatomy


def attention_relevance(score: Score, picture: Tensor, request: Request) -> Iterator[Progress | AttributionMap]:
    """Roll gradient-weighted attention out over the blocks, in one step.

    Each block's attention is weighted by its gradient, its positive part averaged over the heads, and added to
    what earlier blocks carried: R <- R + mean_heads((dA * A)+) R, from R = identity. The map is the class token's row.
    Where a tower has no class token, the mean over all tokens' rows stands for it, and the note says so.

    Args:
        score: the objective.
        picture: (1, 3, s, s) in 0..1.
        request: the side counts.

    Yields:
        The AttributionMap: map (s, s), not negative, from the grid of patches by bilinear interpolation.

    Raises:
        Unsupported: the image tower has no attention blocks.

    Source:
        Chefer, Gur and Wolf 2021, arXiv:2103.15679, section 3.1, equations 5 and 6.
    """
    import torch

    anatomy = score.box.anatomy
    pixels = picture.clone().requires_grad_()
    embeddings, attentions = score.box.attention(pixels)
    slopes = torch.autograd.grad(score.of(Forward(pixels, embeddings)).sum(), attentions, allow_unused=True)
    carried = _rolled_out([attention.detach() for attention in attentions], slopes)  # (tokens, tokens)
    coarse, note = _patches(carried, anatomy)
    side = (request.side, request.side)
    fine = torch.nn.functional.interpolate(coarse[None, None], side, mode="bilinear", align_corners=False)
    yield AttributionMap(fine[0, 0], note)


def _rolled_out(attentions: list[Tensor], slopes: tuple[Tensor | None, ...]) -> Tensor:
    """Combine the blocks' (1, heads, tokens, tokens) attentions and gradients into (tokens, tokens), less the start."""
    import torch

    tokens = attentions[0].shape[-1]
    start = torch.eye(tokens, device=attentions[0].device)
    carried = start.clone()
    for attention, slope in zip(attentions, slopes, strict=True):
        if slope is None:
            raise Unsupported("The score does not depend on this image tower's attention maps; relevance needs it to.")
        carried = carried + (slope.float() * attention.float()).clamp(min=0).mean(dim=1)[0] @ carried
    return carried - start  # what a token says about itself from the start is no evidence


def _patches(carried: Tensor, anatomy: Anatomy) -> tuple[Tensor, str]:
    """Read the patches' relevance off, as (rows, columns), with a note on how."""
    rows, columns = anatomy.grid
    if carried.shape[1] != anatomy.prefix_tokens + rows * columns:
        raise Unsupported(
            f"This tower's {carried.shape[1]} tokens do not lie on its grid of {rows} x {columns} patches "
            f"and {anatomy.prefix_tokens} other tokens."
        )
    if anatomy.prefix_tokens:
        row, reader = carried[0], "as the class token reads them"
    else:
        row, reader = carried.mean(dim=0), "averaged over all tokens, since this tower has no class token"
    note = f"{rows} x {columns} patches, {reader}, drawn smooth."
    return row[anatomy.prefix_tokens :].reshape(rows, columns), note
