"""A step's work in shares, one for each core: two cores with a share each do more than two with one work.

A graph is cut where a share's results leave it. The loss is taken from what was cut off, and each share carries its
gradients back by itself; they are summed in the order of the shares, so that the same shares give the same bits.
Threads would wait for each other between any two operations, so the other shares are processes, which find the
parameters in shared memory. Knows no model.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any, NoReturn, Self

import torch
from torch import Tensor

from workbench.errors import OutOfResources

MOST = 4  # shares; a batch has some forty pictures
STOP = ("stop", None)


class Shares:
    """This process and helpers, each of which has done its share of what is ordered; to be left with `with`.

    Args:
        count: shares; one is done here. More than one need a system that forks, and no GPU.
        work: an order -> tensors, with their graphs. An order is plain data and numpy's arrays.
        parameters: that gradients are carried to. Where there are helpers, they are moved to shared memory.
    """

    def __init__(self, count: int, work: Callable[[Any], Sequence[Tensor]], parameters: Sequence[Tensor]) -> None:
        self.count, self._parameters = count, parameters
        self._cores = max(1, torch.get_num_threads() // count)
        self._here, self._leaves = _Share(work, parameters), [list[Tensor]() for _ in range(count)]
        if count > 1:
            for part in parameters:
                part.share_memory_()  # type: ignore[no-untyped-call]
        self._helpers: list[_Helper] = []
        for _ in range(count - 1):
            self._helpers.append(_Helper(self._here, self._cores, others=self._helpers))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for helper in self._helpers:
            helper.stop()

    def places(self, many: int, *, turned: bool = False) -> list[Tensor]:
        """Which of so many rows each share has: every `count`-th; `turned` gives the odd one to the last share."""
        found = [torch.arange(share, many, self.count) for share in range(self.count)]
        return found[::-1] if turned else found

    def run(self, orders: Sequence[Any]) -> list[tuple[Tensor, ...]]:
        """Have each share work; returns what came out, cut from its graph.

        Args:
            orders: `count` of them.

        Raises:
            OutOfResources: the system ended a helper.
        """
        for helper, order in zip(self._helpers, orders[1:], strict=True):
            helper.send(("run", order))
        with _threads(self._cores):
            found = [self._here.run(orders[0])]
        found += [[torch.from_numpy(array) for array in helper.receive()] for helper in self._helpers]
        device = self._parameters[0].device
        cut = [tuple(one.detach().to(device).requires_grad_(one.is_floating_point()) for one in row) for row in found]
        for kept, row in zip(self._leaves, cut, strict=True):
            kept += row
        return cut

    def backward(self) -> None:
        """Carry the gradients of all that was cut on into the parameters, added to what these have already."""
        asked = [[leaf.grad for leaf in kept] for kept in self._leaves]
        self._leaves = [[] for _ in range(self.count)]
        for helper, grads in zip(self._helpers, asked[1:], strict=True):
            helper.send(("back", [None if grad is None else grad.numpy() for grad in grads]))
        with _threads(self._cores):
            found = [[*self._here.back(asked[0])]]
        for helper in self._helpers:
            there = helper.receive()
            found.append([grad if has else None for grad, has in zip(helper.grads, there, strict=True)])
        for one in found:
            for part, grad in zip(self._parameters, one, strict=True):
                if grad is not None:
                    part.grad = grad if part.grad is None else part.grad.add_(grad)


class _Share:
    """What one process does: it works, keeps the graphs, and carries gradients back through them."""

    def __init__(self, work: Callable[[Any], Sequence[Tensor]], parameters: Sequence[Tensor]) -> None:
        self._work, self.parameters = work, parameters
        self._open: list[Tensor] = []

    def run(self, order: Any) -> Sequence[Tensor]:
        found = self._work(order)
        self._open += found
        return found

    def back(self, grads: Sequence[Tensor | None]) -> Sequence[Tensor | None]:
        kept, self._open = self._open, []
        asked = [(one, grad) for one, grad in zip(kept, grads, strict=True) if one.requires_grad and grad is not None]
        if not asked:
            return [None] * len(self.parameters)
        results, given = zip(*asked, strict=True)
        found: Sequence[Tensor | None] = torch.autograd.grad(results, self.parameters, given, allow_unused=True)
        return found


class _Helper:
    """Another process with a share of its own; gradients come back in shared memory."""

    def __init__(self, share: _Share, threads: int, *, others: Sequence[_Helper]) -> None:
        fork = multiprocessing.get_context("fork")
        self._ours, theirs = fork.Pipe()
        self.grads: list[Tensor] = [torch.zeros_like(part) for part in share.parameters]
        for grad in self.grads:
            grad.share_memory_()  # type: ignore[no-untyped-call]
        ends = [self._ours, *(other._ours for other in others)]
        self._process = fork.Process(target=_help, args=(share, self.grads, threads, theirs, ends), daemon=True)
        with warnings.catch_warnings():  # Python 3.12 warns of threads that hold a lock: a helper computes on its own
            warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
            self._process.start()
        theirs.close()

    def send(self, order: Any) -> None:
        try:
            self._ours.send(order)
        except OSError:
            self._fail()

    def receive(self) -> Any:
        try:
            return self._ours.recv()
        except (EOFError, OSError):
            self._fail()

    def _fail(self) -> NoReturn:
        self._process.join(timeout=10)
        code = self._process.exitcode or 0
        if code < 0:
            raise OutOfResources(
                f"A process of this training was ended by the system (signal {-code}), as happens when memory runs "
                "out. The same command goes on from the last checkpoint; with OMP_NUM_THREADS=1 it takes one process."
            )
        raise RuntimeError(f"a helper process ended (exit code {code}); what it said stands above")

    def stop(self) -> None:
        with contextlib.suppress(OSError):  # it may have ended by itself
            self._ours.send(STOP)  # other processes may hold this end too, so that closing it would not tell
        self._ours.close()
        self._process.join(timeout=10)


def _help(share: _Share, grads: Sequence[Tensor], threads: int, orders: Connection, ends: Sequence[Connection]) -> None:
    """A helper's life: it ends when it is told to, or when nobody is left to order anything."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever orders decides when to stop
    torch.set_num_threads(threads)
    for end in ends:
        end.close()
    while True:
        try:
            kind, given = orders.recv()
        except EOFError:
            return
        if kind == "stop":
            return
        if kind == "run":
            orders.send(tuple(one.detach().numpy() for one in share.run(given)))
            continue
        found = share.back([None if grad is None else torch.from_numpy(grad) for grad in given])
        for kept, grad in zip(grads, found, strict=True):
            if grad is not None:
                kept.copy_(grad)
        orders.send([grad is not None for grad in found])


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    """So many threads for an operation, and as many as before again after."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fitting(device: torch.device) -> int:
    """As many shares as there are cores to compute with, up to `MOST`; one where processes cannot be forked."""
    alone = device.type != "cpu" or sys.platform != "linux" or torch.cuda.is_available()
    return 1 if alone else min(MOST, torch.get_num_threads())


def joined(parts: Sequence[Tensor], places: Sequence[Tensor]) -> Tensor:
    """Rows of all shares in the order that `places` says."""
    return torch.cat(list(parts))[torch.cat(list(places)).argsort().to(parts[0].device)]
