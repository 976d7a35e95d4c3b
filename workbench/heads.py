"""The last step of an image tower: how the outputs of its last block become the embedding, as far as it is linear.

With a linear last step a cosine is a sum of what each unit adds at each cell, exactly. Attention pooling is linear
given its attention pattern, a transformer's last step given the picture's own mean and deviation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from workbench.hooks import hooked, recorded

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Terms:
    """An image's embedding before it is scaled to length 1, seen from k texts, as a sum."""

    parts: Tensor  # (n, k, units, cells) float32, what each unit adds at each cell
    constant: Tensor  # (n, k) float32, what comes from biases
    length: Tensor  # (n,) float32, of the embedding before it is scaled

    @property
    def cosines(self) -> Tensor:
        """(n, k): the sum of everything over the length."""
        return (self.parts.sum(dim=(2, 3)) + self.constant) / self.length[:, None]


@dataclass(frozen=True, eq=False)
class MeanHead:
    """Average over the cells, then a projection: EfficientNet and most convolutional towers behind one layer."""

    projection: nn.Linear  # width -> dim

    @property
    def directions(self) -> Tensor:
        """(dim, units): where a unit moves the embedding."""
        weight: Tensor = self.projection.weight
        return weight.float()

    def embed(self, pooled: Tensor) -> Tensor:
        """(n, units) averages -> (n, dim), any length."""
        bias = self.projection.bias
        rows = pooled.float() @ self.directions.T
        return rows if bias is None else rows + bias.float()

    def terms(self, values: Tensor, texts: Tensor) -> Terms:
        """Split embeddings: values (n, units, rows, columns), texts (k, dim) unit rows."""
        maps = values.float().flatten(2)  # (n, units, cells)
        weights = texts @ self.directions / maps.shape[-1]  # (k, units)
        bias = self.projection.bias
        constant = texts @ bias.float() if bias is not None else texts.new_zeros(len(texts))
        length = self.embed(maps.mean(dim=-1)).norm(dim=-1)
        return Terms(maps[:, None] * weights[None, :, :, None], constant.expand(len(maps), -1), length)


@dataclass(frozen=True, eq=False)
class AttentionHead:
    """One question, the average, looks at all cells: the attention pooling of OpenAI's ResNets.

    Source:
        Radford et al. 2021, arXiv:2103.00020, section 2.4.
    """

    pool: Any  # open_clip's AttentionPool2d: q_proj, k_proj, v_proj, c_proj, positional_embedding, num_heads

    @property
    def directions(self) -> Tensor:
        """(dim, units): where a unit moves the embedding when all cells are looked at alike (Goh et al. 2021)."""
        directions: Tensor = self.pool.c_proj.weight.float() @ self.pool.v_proj.weight.float()
        return directions

    def pattern(self, values: Tensor) -> Tensor:
        """(n, units, rows, columns) -> (n, heads, 1 + cells): what the average looks at, itself first."""
        tokens = self._tokens(values)
        query = self._split(self.pool.q_proj(tokens[:, :1]))
        key = self._split(self.pool.k_proj(tokens))
        scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        pattern: Tensor = scores.softmax(dim=-1)[:, :, 0].float()
        return pattern

    def terms(self, values: Tensor, texts: Tensor) -> Terms:
        """Split embeddings, given the attention pattern of each image."""
        import torch

        pool, heads = self.pool, self.pool.num_heads
        pattern, maps = self.pattern(values), values.float().flatten(2)  # (n, heads, 1 + cells), (n, units, cells)
        # a cell counts directly, and as a part of the average that is looked at too
        share = pattern[:, :, 1:] + pattern[:, :, :1] / maps.shape[-1]
        out = (texts @ pool.c_proj.weight.float()).reshape(len(texts), heads, -1)  # (k, heads, part)
        value = pool.v_proj.weight.float().unflatten(0, (heads, -1))  # (heads, part, units)
        pull = torch.einsum("khp,hpu->khu", out, value)  # what a head makes of a unit, seen from a text
        parts = torch.einsum("nhc,khu,nuc->nkuc", share, pull, maps)
        place = torch.einsum("khu,nhc,cu->nk", pull, pattern, pool.positional_embedding.float())
        biases = texts @ (pool.c_proj.weight.float() @ pool.v_proj.bias.float() + pool.c_proj.bias.float())
        return Terms(parts, place + biases, self._embed(values, pattern).norm(dim=-1))

    def _embed(self, values: Tensor, pattern: Tensor) -> Tensor:
        value = self._split(self.pool.v_proj(self._tokens(values)))  # (n, heads, tokens, part)
        mixed = (pattern[:, :, None].to(value) @ value)[:, :, 0]
        rows: Tensor = self.pool.c_proj(mixed.flatten(1))
        return rows.float()

    def _tokens(self, values: Tensor) -> Tensor:
        import torch

        cells = values.flatten(2).transpose(1, 2)  # (n, cells, units)
        every = torch.cat([cells.mean(dim=1, keepdim=True), cells], dim=1)
        placed: Tensor = every + self.pool.positional_embedding.to(every)
        return placed

    def _split(self, rows: Tensor) -> Tensor:
        return rows.reshape(*rows.shape[:-1], self.pool.num_heads, -1).transpose(1, 2)  # (n, heads, tokens, part)


@dataclass(frozen=True, eq=False)
class TokenHead:
    """The class token, a layer norm, then a projection: OpenAI's and LAION's ViT towers."""

    norm: nn.LayerNorm
    projection: Tensor  # (dim, width)
    blocks: tuple[AttentionBlock, ...]  # input side first

    @property
    def directions(self) -> Tensor:
        """(dim, units): where a position along the class token's width moves the embedding, but for its scale."""
        return self.projection.float() * self.norm.weight.float()

    def fold(self, token: Tensor, texts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Make the last norm and projection linear at one class token.

        Args:
            token: (n, width) what the last block returns at the class token.
            texts: (k, dim) unit rows.

        Returns:
            (n, k, width) weights of whatever adds to the token, (k,) constant from the norm's bias, (n,) length.
        """
        import torch

        token = token.float()
        deviation = (token.var(dim=-1, unbiased=False, keepdim=True) + self.norm.eps).sqrt()
        weights = texts @ self.directions  # (k, width)
        weights = weights - weights.mean(dim=-1, keepdim=True)  # the norm takes the mean away from every part
        normed = torch.nn.functional.layer_norm(
            token, token.shape[-1:], self.norm.weight.float(), self.norm.bias.float(), self.norm.eps
        )
        length = (normed @ self.projection.float().T).norm(dim=-1)
        return weights[None] / deviation[:, None], texts @ (self.projection.float() @ self.norm.bias.float()), length


@dataclass(frozen=True, eq=False)
class AttentionBlock:
    """One block of a ViT, by its parts; each projection is a weight (width, width) and a bias."""

    block: nn.Module
    attention: nn.Module  # receives (n, tokens, width), already normalised
    mlp: nn.Module
    query: tuple[Tensor, Tensor]
    key: tuple[Tensor, Tensor]
    value: tuple[Tensor, Tensor]  # what is carried
    out: tuple[Tensor, Tensor]  # what is added
    heads: int

    def pattern(self, tokens: Tensor) -> Tensor:
        """(n, tokens, width) that the attention receives -> (n, heads, tokens): what the class token looks at."""
        from torch.nn.functional import linear

        query = self._split(linear(tokens[:, :1], *self.query)).transpose(1, 2)
        key = self._split(linear(tokens, *self.key)).transpose(1, 2)
        scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        pattern: Tensor = scores.softmax(dim=-1)[:, :, 0]
        return pattern

    def carried(self, tokens: Tensor) -> Tensor:
        """(n, tokens, width) that the attention receives -> (n, heads, width): what each head adds to the class token.

        The bias of what is added belongs to no head and is left out.
        """
        import torch
        from torch.nn.functional import linear

        value = self._split(linear(tokens, *self.value))  # (n, tokens, heads, part)
        mixed = torch.einsum("nht,nthp->nhp", self.pattern(tokens), value)
        carried: Tensor = torch.einsum("nhp,whp->nhw", mixed, self._split(self.out[0]))
        return carried

    def _split(self, rows: Tensor) -> Tensor:
        return rows.reshape(*rows.shape[:-1], self.heads, -1).float()


@contextmanager
def without_heads(blocks: Sequence[AttentionBlock], off: Mapping[int, Sequence[int]]) -> Iterator[None]:
    """Take what some attention heads add to the class token away, for the length of a `with` block.

    Args:
        blocks: of the tower, input side first.
        off: number of a block -> numbers of heads.
    """
    attention = {number: blocks[number].attention for number, heads in off.items() if heads}
    with recorded(attention, inputs=True) as received:

        def drop(number: int) -> Callable[[Tensor], Tensor]:
            def function(out: Tensor) -> Tensor:
                added = blocks[number].carried(received.pop(number))[:, list(off[number])].sum(dim=1)
                changed = out.clone()
                changed[:, 0] -= added.to(out)
                return changed

            return function

        with hooked([(module, drop(number)) for number, module in attention.items()]):
            yield


Head: TypeAlias = MeanHead | AttentionHead | TokenHead
