"""Checks that a model keeps the contract of `workbench.backend`: the test that the shipped models pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import BadInput
from workbench.surface import as_model

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.loading.torch_backend import TorchBackend
    from workbench.surface import ModelLike

TEXTS = ("a photo of a cat.", "red", "two dogs in the snow, painted in oil")
SIDES = ((64, 48), (300, 300), (40, 250))  # width and height of the images, pixels
CLOSE = 1e-4  # of unit lengths, and of a row alone and in a batch


def check_model(model: ModelLike) -> dict[str, Any]:
    """Embed a few images and texts, and check what every model promises.

    Rows are float32 on the CPU, of length 1, the same each time and in any batch; blank texts are refused, long ones
    are cut with a note; gradients reach the pixels.

    Returns:
        `model`, `dim`, `image_size` (pixels) and `context_length` (tokens).

    Raises:
        BadInput: a promise is broken; all are named.

    Example:
        >>> import workbench as wb
        >>> wb.check_model("pocket")
        {'model': 'pocket', 'dim': 384, 'image_size': 224, 'context_length': 77}
    """
    backend = as_model(model).backend
    if faults := list(_faults(backend)):
        raise BadInput(f"The model {backend.spec.key!r} breaks the contract of workbench.backend: {'; '.join(faults)}.")
    limit = backend.read([TEXTS[0]])[0].limit
    return {"model": backend.spec.key, "dim": backend.dim, "image_size": backend.image_size, "context_length": limit}


def _faults(backend: TorchBackend) -> Iterator[str]:
    from PIL import Image

    rng = np.random.default_rng(0)
    images = [Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)) for width, height in SIDES]
    yield from _row_faults("images", backend.embed_images, images, backend.dim)
    yield from _row_faults("texts", backend.embed_texts, TEXTS, backend.dim)
    for texts in ([], [" "]):
        try:
            backend.embed_texts(texts)
        except BadInput:
            continue
        yield f"embed_texts takes {texts}, which BadInput should refuse"
    reading = backend.read(["red blue green " * 60])[0]
    if reading.tokens > reading.limit or not reading.cut:
        yield "a text beyond the context length is cut without a note"
    yield from _gradient_faults(backend)


def _row_faults(what: str, embed: Callable[[Sequence[Any]], Tensor], given: Sequence[Any], dim: int) -> Iterator[str]:
    import torch

    rows = embed(given)
    if rows.shape != (len(given), dim) or rows.dtype != torch.float32 or rows.device.type != "cpu":
        yield (
            f"{what} give {tuple(rows.shape)} {rows.dtype} on {rows.device}; "
            f"({len(given)}, {dim}) torch.float32 on cpu is right"
        )
        return
    if rows.requires_grad:
        yield f"rows of {what} keep a gradient"
    if not bool(((rows.norm(dim=1) - 1).abs() < CLOSE).all()):
        yield f"rows of {what} are not of length 1"
    if not torch.equal(embed(given), rows):
        yield f"equal {what} give different rows"
    alone = torch.cat([embed([one]) for one in given])
    if not bool(((alone - rows).abs() < CLOSE).all()):
        yield f"{what} give different rows alone and in a batch"


def _gradient_faults(backend: TorchBackend) -> Iterator[str]:
    import torch

    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(1, 3, backend.image_size, backend.image_size, generator=generator, requires_grad=True)
    rows = backend.embed_pixels(pixels)
    (gradient,) = torch.autograd.grad(rows[0, 0], pixels, allow_unused=True) if rows.requires_grad else (None,)
    if gradient is None or not bool(gradient.abs().max() > 0):
        yield "no gradient reaches the pixels"
