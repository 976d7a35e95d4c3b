"""The gradient of one batch: at once, or in chunks where the batch is larger than memory.

In chunks, every chunk is embedded once without gradient; the loss of the whole batch gives each embedding its gradient;
then every chunk is embedded again, with the same random draws, and passes that gradient on. The result is the plain
gradient as long as no picture sees another one in the tower: batch norm must be frozen.

Source:
    Gao et al. 2021, Scaling Deep Contrastive Learning EncodedBatch Size under Memory Limited Setup, arXiv:2101.06983.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from workbench.training.ranks import gather

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]  # unit rows of all pictures and texts, keys -> this process's share


@dataclass(frozen=True)
class EncodedBatch:
    """This process's part of a batch."""

    pixels: Tensor  # (n, 3, side, side), as the image tower takes them
    ids: Tensor  # (n, length) int64
    mask: Tensor  # (n, length) int64
    keys: Tensor  # (n,) int64; equal where captions mean the same

    def __len__(self) -> int:
        return len(self.keys)

    def chunk(self, rows: slice) -> EncodedBatch:
        """Return some of the pairs."""
        return EncodedBatch(self.pixels[rows], self.ids[rows], self.mask[rows], self.keys[rows])


@dataclass(frozen=True)
class TowerPair:
    """What turns a batch into rows, and in which precision."""

    image: Callable[[Tensor], Tensor]  # pixels -> (n, dim), any length
    text: Callable[[Tensor, Tensor], Tensor]  # ids, mask -> (n, dim), any length
    dtype: torch.dtype = torch.float32  # other than float32: autocast

    def embed(self, batch: EncodedBatch) -> tuple[Tensor, Tensor]:
        """Return unit rows of pictures and texts, (n, dim) each, in float32 or what the towers hold beyond it."""
        low = self.dtype in (torch.bfloat16, torch.float16)
        # a context of its own each time: what autocast keeps from a pass without gradient would stop the next one's
        with torch.autocast(batch.pixels.device.type, dtype=self.dtype) if low else nullcontext():
            embeddings = self.image(batch.pixels), self.text(batch.ids, batch.mask)
        images, texts = (rows.to(torch.promote_types(rows.dtype, torch.float32)) for rows in embeddings)
        return functional.normalize(images, dim=-1), functional.normalize(texts, dim=-1)


@dataclass(frozen=True)
class GradientResult:
    """What one batch gave besides its gradient."""

    loss: float  # this process's share
    images: Tensor  # (all, dim) unit rows of everybody, without gradient
    texts: Tensor


def backward(
    towers: TowerPair, batch: EncodedBatch, loss: Loss, *, chunk: int = 0, scaler: torch.amp.GradScaler | None = None
) -> GradientResult:
    """Add the gradient of the batch's loss to the parameters.

    Args:
        towers: both, with batch norm frozen where there are chunks.
        batch: this process's part.
        loss: takes the rows of all processes.
        chunk: pairs that are embedded at once; 0 for all of them in one pass.
        scaler: for float16, whose small gradients would vanish; None for none.
    """
    if not chunk or chunk >= len(batch):
        images, texts = towers.embed(batch)
        return _from_rows(images, texts, batch.keys, loss=loss, scaler=scaler)
    parts = [slice(start, start + chunk) for start in range(0, len(batch), chunk)]
    rows, draws = [], []
    with torch.no_grad():
        for part in parts:
            draws.append(_Draws(batch.pixels.device))
            rows.append(towers.embed(batch.chunk(part)))
    images, texts = (torch.cat(side).requires_grad_() for side in zip(*rows, strict=True))
    result = _from_rows(images, texts, batch.keys, loss=loss, scaler=scaler)
    for part, drawn in zip(parts, draws, strict=True):
        with drawn.again():
            both = towers.embed(batch.chunk(part))
        pushes = [None if side.grad is None else side.grad[part] for side in (images, texts)]
        learning = [number for number in (0, 1) if both[number].requires_grad]  # a locked tower's rows carry nothing
        torch.autograd.backward([both[number] for number in learning], [pushes[number] for number in learning])
    return result


def _from_rows(
    images: Tensor, texts: Tensor, keys: Tensor, *, loss: Loss, scaler: torch.amp.GradScaler | None
) -> GradientResult:
    all_images, all_texts = gather(images), gather(texts)
    share = loss(all_images, all_texts, gather(keys))
    torch.autograd.backward(share if scaler is None else scaler.scale(share))
    return GradientResult(float(share.detach()), all_images.detach(), all_texts.detach())


class _Draws:
    """The states of the shared random generators at one moment, to draw the same once more."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._cpu = torch.get_rng_state()
        self._cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None

    @contextmanager
    def again(self) -> Iterator[None]:
        """Draw what was drawn from here on, and leave the generators as they were found."""
        with torch.random.fork_rng([self._device] if self._cuda is not None else []):
            torch.set_rng_state(self._cpu)
            if self._cuda is not None:
                torch.cuda.set_rng_state(self._cuda, self._device)
            yield
