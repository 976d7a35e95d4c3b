"""A training's own random generators, saved with its checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from workbench.errors import BadInput
from workbench.training.ranks import Place, gather


class TrainingRng:
    """The state of torch's generators on the CPU and one device, as this training has left it.

    Args:
        seed: where the draws begin; each process has its own.
        device: CUDA devices draw by themselves.
        place: which process this is.
    """

    def __init__(self, seed: int, device: torch.device, place: Place) -> None:
        self._device, self._place = device, place
        self._cuda = [device] if device.type == "cuda" else []
        with torch.random.fork_rng(self._cuda):
            torch.manual_seed(seed * 1_000_003 + place.rank)
            self._keep()

    @contextmanager
    def rolling(self) -> Iterator[None]:
        """Let a block draw from here on; afterwards the library's generators are as they were."""
        with torch.random.fork_rng(self._cuda):
            torch.set_rng_state(self._cpu)
            for device, state in zip(self._cuda, self._there, strict=True):
                torch.cuda.set_rng_state(state, device)
            try:
                yield
            finally:
                self._keep()

    def state(self) -> dict[str, Any]:
        """Return the states of all processes; every process has to call this."""
        return {"cpu": self._everybody(self._cpu), "cuda": [self._everybody(one) for one in self._there]}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state.

        Raises:
            BadInput: it was saved by another number of processes, or on another kind of device.
        """
        if len(state["cpu"]) != self._place.world or len(state["cuda"]) != len(self._cuda):
            then = f"{len(state['cpu'])} process(es){' on CUDA' if state['cuda'] else ''}"
            now = f"{self._place.world}{' on CUDA' if self._cuda else ''}"
            raise BadInput(f"This training ran in {then} and goes on in the same way; here are {now}.")
        self._cpu = state["cpu"][self._place.rank].clone()
        self._there = [one[self._place.rank].clone() for one in state["cuda"]]

    def _keep(self) -> None:
        self._cpu = torch.get_rng_state()
        self._there = [torch.cuda.get_rng_state(device) for device in self._cuda]

    def _everybody(self, state: Tensor) -> Tensor:
        return gather(state.to(self._device)).reshape(self._place.world, -1).cpu()
