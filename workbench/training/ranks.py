"""Distributed training: negatives gathered from all processes with gradient, and summed gradients.

Started by `torchrun`, which sets RANK, WORLD_SIZE and LOCAL_RANK; without it there is one
process and these functions do nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Place:
    """Which of how many processes this is."""

    rank: int = 0
    world: int = 1

    def part(self, n: int) -> slice:
        """Return which of n rows of a joint batch are this process's; n is a multiple of `world`."""
        mine = n // self.world
        return slice(self.rank * mine, (self.rank + 1) * mine)


@contextmanager
def joined(device: torch.device) -> Iterator[Place]:
    """Join the processes that torchrun started, for the length of a `with` block: NCCL on CUDA, else gloo."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Place()
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Place(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


def local_device(wanted: str) -> str:
    """Return the device of this process: of several on CUDA, each has a card of its own."""
    local = os.environ.get("LOCAL_RANK")
    alone = wanted in ("auto", "cuda") and torch.cuda.is_available()
    return f"cuda:{local}" if local is not None and alone else wanted


def gather(rows: Tensor) -> Tensor:
    """Return everybody's (n, …) rows as one (world x n, …), in order of rank; gradients find their way back."""
    if not _several():
        return rows
    if rows.is_floating_point():
        every: Tensor = _Gather.apply(rows)  # type: ignore[no-untyped-call]
        return every
    return torch.cat(_all(rows))


def sum_gradients(parameters: Iterable[Tensor]) -> None:
    """Add up everybody's gradients, in place. What got none here counts as zero, so that all processes agree."""
    if not _several():
        return
    with torch.no_grad():
        wanted = [one for one in parameters if one.requires_grad]
        for one in wanted:
            one.grad = torch.zeros_like(one) if one.grad is None else one.grad
        wide = torch.float64 if any(one.dtype == torch.float64 for one in wanted) else torch.float32
        flat = torch.cat([one.grad.reshape(-1).to(wide) for one in wanted if one.grad is not None])
        distributed.all_reduce(flat)
        for one, summed in zip(wanted, torch.split(flat, [one.numel() for one in wanted]), strict=True):
            one.grad = summed.view(one.shape).to(one.dtype)


def total(value: float, device: torch.device) -> float:
    """Return the sum of everybody's number, the same everywhere."""
    if not _several():
        return value
    summed = torch.tensor([value], dtype=torch.float64, device=device)
    distributed.all_reduce(summed)
    return float(summed)


class _Gather(torch.autograd.Function):
    """All-gather whose gradient is the sum of what all processes say about this one's rows."""

    @staticmethod
    def forward(context: Any, rows: Tensor) -> Tensor:
        return torch.cat(_all(rows))

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        summed = gradients[0].clone()
        distributed.all_reduce(summed)
        return summed[Place(distributed.get_rank(), distributed.get_world_size()).part(len(summed))]


def _all(rows: Tensor) -> list[Tensor]:
    processes = range(distributed.get_world_size())
    gathered = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in processes]
    distributed.all_gather(gathered, rows.contiguous())
    return gathered


def _several() -> bool:
    return bool(distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1)
