"""What runs on the device about attention heads: what each adds to the embeddings, in the joint space.

The last norm is folded in, with each image's own scale, as in `decomposition`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadInput, Unsupported
from workbench.heads import TokenHead
from workbench.hooks import recorded
from workbench.neurons.passes import unit_range

if TYPE_CHECKING:
    from workbench.backend import Anatomy, WhiteBox


def token_head(anatomy: Anatomy) -> TokenHead:
    """Return the last step of a ViT.

    Raises:
        Unsupported: a tower without attention heads at a class token.
    """
    if not isinstance(anatomy.head, TokenHead):
        raise Unsupported(
            "Attention heads are looked at in a ViT that ends in a class token, such as OpenAI's; this tower does not."
        )
    return anatomy.head


def head_outputs(box: WhiteBox, payload: tuple[NDArray[np.uint8], int]) -> Iterator[NDArray[np.float32]]:
    """Run one batch: what each head of a block adds to the embeddings, before biases.

    Args:
        box: the model.
        payload: (n, 3, size, size) uint8, and the number of the block.

    Yields:
        (n, heads, dim), divided by the embeddings' lengths.

    Raises:
        Unsupported: no ViT with a class token.
        BadInput: no such block.
    """
    yield _head_outputs(box, *payload)


def _head_outputs(box: WhiteBox, pixels: NDArray[np.uint8], number: int) -> NDArray[np.float32]:
    import torch

    head = token_head(box.anatomy)
    check_block(head, number)
    block = head.blocks[number]
    with (
        torch.no_grad(),
        recorded({"attention": block.attention}, inputs=True) as received,
        recorded({"last": head.blocks[-1].block}) as values,
    ):
        box.embed_pixels(unit_range(box, pixels))
        directions = torch.eye(box.dim, device=box.device)
        weights, _, length = head.fold(values["last"][:, 0], directions)  # (n, dim, width)
        added = torch.einsum("ndw,nhw->nhd", weights, block.carried(received["attention"])) / length[:, None, None]
    return added.cpu().numpy().copy()


def check_block(head: TokenHead, number: int) -> None:
    """Refuse a block that a tower does not have.

    Raises:
        BadInput: below 0 or too high.
    """
    if not 0 <= number < len(head.blocks):
        raise BadInput(f"This tower has the blocks 0 to {len(head.blocks) - 1}; got {number}.")
