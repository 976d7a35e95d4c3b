"""Why an image got its cosine with a text: the exact sum over units and cells, or over heads, tokens and MLPs.

Convolutional towers: over the channels and cells of the last block. ViT: over what each attention head carries from
each token to the class token, and what each MLP adds, once the last norm is folded in. Biases stand apart.

Source:
    ResNets: Goh et al. 2021, doi:10.23915/distill.00030. ViT: Gandelsman et al. 2024, arXiv:2310.05916, section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.errors import Unsupported
from workbench.heads import TokenHead
from workbench.hooks import hooked, recorded
from workbench.neurons.passes import unit_range

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.backend import WhiteBox

TOLERANCE = 1e-5  # between the sum and the cosine; float32


@dataclass(frozen=True, eq=False)
class Decomposition:
    """One image's cosines with k texts, as sums; `parts` is already divided by the embedding's length."""

    kind: str  # "units and cells" or "heads, tokens and MLPs"
    parts: NDArray[np.float32]  # (k, units, cells), or (k, terms, tokens)
    names: tuple[str, ...]  # of the terms of a ViT, as "block 3, head 5"; empty for units
    constant: NDArray[np.float32]  # (k,) biases
    cosines: NDArray[np.float32]  # (k,) as the model computes them
    grid: tuple[int, int]  # rows and columns of the cells or patch tokens
    prefix: int = 0  # tokens in front of the grid

    @property
    def error(self) -> float:
        """Largest absolute difference between sum and cosine."""
        return float(np.abs(self.parts.sum(axis=(1, 2)) + self.constant - self.cosines).max())

    def by_unit(self) -> NDArray[np.float32]:
        """(k, units or terms): what each adds to each cosine."""
        added: NDArray[np.float32] = self.parts.sum(axis=2)
        return added

    def where(self, text: int, unit: int) -> NDArray[np.float32]:
        """(rows, columns): where one unit or term adds to one cosine."""
        return self.parts[text, unit, self.prefix :].reshape(self.grid)


def decompositions(box: WhiteBox, payload: tuple[NDArray[np.uint8], NDArray[np.float32]]) -> Iterator[Decomposition]:
    """Decompose images one by one.

    Args:
        box: the model.
        payload: (n, 3, size, size) uint8, and (k, dim) unit rows of texts.

    Raises:
        Unsupported: the tower's last step is not linear, or not known.
    """
    pixels, texts = payload
    if box.anatomy.head is None:
        raise Unsupported(
            "An exact decomposition needs a known last step: an average, attention pooling or a class token. "
            "This tower's is none of these."
        )
    for image in pixels:
        yield _decompose(box, image[None], texts)


def _decompose(box: WhiteBox, pixels: NDArray[np.uint8], texts: NDArray[np.float32]) -> Decomposition:
    import torch

    with torch.no_grad():
        rows = torch.from_numpy(texts).to(box.device)
        if isinstance(box.anatomy.head, TokenHead):
            return _tokens(box, box.anatomy.head, unit_range(box, pixels), texts=rows)
        head, name = box.anatomy.head, next(reversed(box.anatomy.layers))
        assert head is not None
        with recorded(box.anatomy.pick([name])) as values:
            cosines = box.embed_pixels(unit_range(box, pixels)) @ rows.T
        terms = head.terms(values[name], rows)
        return Decomposition(
            "units and cells",
            (terms.parts[0] / terms.length[0]).cpu().numpy(),
            (),
            (terms.constant[0] / terms.length[0]).cpu().numpy(),
            cosines[0].float().cpu().numpy(),
            (values[name].shape[2], values[name].shape[3]),
        )


def _tokens(box: WhiteBox, head: TokenHead, pixels: Tensor, *, texts: Tensor) -> Decomposition:
    """Run a ViT once with visible attention, and collect what reaches the class token."""
    import torch

    inputs: dict[int, Tensor] = {}
    start: list[Tensor] = []

    def keep(number: int) -> object:
        def function(values: Tensor) -> Tensor:
            inputs[number] = values.detach()
            return values

        return function

    def first(values: Tensor) -> Tensor:
        start.append(values.detach())
        return values

    blocks = head.blocks
    pairs = [(block.attention, keep(number)) for number, block in enumerate(blocks)]
    layers = {f"mlp {number}": block.mlp for number, block in enumerate(blocks)}
    layers["last"] = blocks[-1].block
    with (
        torch.enable_grad(),
        hooked([*pairs, (blocks[0].block, first)], inputs=True),  # type: ignore[list-item]
        recorded(layers) as values,
    ):
        embeddings, maps = box.attention(pixels)
    values = {name: value.detach() for name, value in values.items()}
    weights, constant, length = head.fold(values["last"][:, 0], texts)
    weight = weights[0]  # (k, width)
    parts, names, bias = [], [], constant.clone()
    tokens = maps[0].shape[-1]
    alone = torch.zeros(len(texts), 1, tokens, device=texts.device)
    for number, block in enumerate(blocks):
        value = torch.nn.functional.linear(inputs[number], *block.value)[0].float()
        value = value.reshape(tokens, block.heads, -1)  # (tokens, heads, part)
        out = (weight @ block.out[0].float()).reshape(len(texts), block.heads, -1)  # (k, heads, part)
        look = maps[number][0, :, 0].detach().float()  # (heads, tokens): what the class token looks at
        parts.append(torch.einsum("ht,thp,khp->kht", look, value, out))
        names += [f"block {number}, head {place}" for place in range(block.heads)]
        bias = bias + weight @ block.out[1].float()
        mlp = alone.clone()
        mlp[:, 0, 0] = weight @ values[f"mlp {number}"][0, 0].float()
        parts.append(mlp)
        names.append(f"block {number}, MLP")
    before = alone.clone()
    before[:, 0, 0] = weight @ start[0][0, 0].float()
    return Decomposition(
        "heads, tokens and MLPs",
        (torch.cat([before, *parts], dim=1) / length[0]).cpu().numpy(),
        ("start", *names),
        (bias / length[0]).cpu().numpy(),
        (embeddings.detach() @ texts.T)[0].float().cpu().numpy(),
        box.anatomy.grid,
        box.anatomy.prefix_tokens,
    )
