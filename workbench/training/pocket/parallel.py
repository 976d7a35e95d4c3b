"""Data parallelism over processes on one machine: a batch is split into shards, one for each CPU core.

Two processes with a shard each are faster on two cores than one process with two threads. Each shard's outputs are
detached from their graph; the loss is computed on the detached outputs, and each process carries their gradients back
through its own graph. Gradients are summed in the order of the shards, so that the same shards give the same bits.
Worker processes are forked and find the parameters in shared memory. Does not know about models.
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

MAX_WORKERS = 4  # a batch has some forty images
STOP = ("stop", None)


class DataParallel:
    """Runs a function on the shards of a batch, one in this process and one in each worker; a context manager.

    Args:
        count: of shards; one is computed in this process. More than one need a system that forks, and no GPU.
        forward: a task -> tensors, with their graphs. A task is plain data and numpy arrays.
        parameters: that receive the gradients. Where there are workers, they are moved to shared memory.
    """

    def __init__(self, count: int, forward: Callable[[Any], Sequence[Tensor]], parameters: Sequence[Tensor]) -> None:
        self.count, self._parameters = count, parameters
        self._cores = max(1, torch.get_num_threads() // count)
        self._here, self._leaves = _Shard(forward, parameters), [list[Tensor]() for _ in range(count)]
        if count > 1:
            for part in parameters:
                part.share_memory_()  # type: ignore[no-untyped-call]
        self._workers: list[_ShardWorker] = []
        for _ in range(count - 1):
            self._workers.append(_ShardWorker(self._here, self._cores, others=self._workers))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.stop()

    def split(self, rows: int, *, reverse: bool = False) -> list[Tensor]:
        """Row numbers of each shard: every `count`-th; `reverse` gives the odd row to the last shard."""
        shards = [torch.arange(shard, rows, self.count) for shard in range(self.count)]
        return shards[::-1] if reverse else shards

    def run(self, tasks: Sequence[Any]) -> list[tuple[Tensor, ...]]:
        """Run each shard's task; returns each one's outputs, detached from its graph.

        Args:
            tasks: `count` of them.

        Raises:
            OutOfResources: the system ended a worker process.
        """
        for worker, task in zip(self._workers, tasks[1:], strict=True):
            worker.send(("run", task))
        with _threads(self._cores):
            outputs = [self._here.run(tasks[0])]
        outputs += [[torch.from_numpy(array) for array in worker.receive()] for worker in self._workers]
        device = self._parameters[0].device
        cut = [tuple(one.detach().to(device).requires_grad_(one.is_floating_point()) for one in row) for row in outputs]
        for leaves, row in zip(self._leaves, cut, strict=True):
            leaves += row
        return cut

    def backward(self) -> None:
        """Add the gradients of all detached outputs to the gradients of the parameters."""
        grads_of = [[leaf.grad for leaf in leaves] for leaves in self._leaves]
        self._leaves = [[] for _ in range(self.count)]
        for worker, grads in zip(self._workers, grads_of[1:], strict=True):
            worker.send(("back", [None if grad is None else grad.numpy() for grad in grads]))
        with _threads(self._cores):
            shards = [[*self._here.back(grads_of[0])]]
        for worker in self._workers:
            present = worker.receive()
            shards.append([grad if has else None for grad, has in zip(worker.grads, present, strict=True)])
        for grads in shards:
            for part, grad in zip(self._parameters, grads, strict=True):
                if grad is not None:
                    part.grad = grad if part.grad is None else part.grad.add_(grad)


class _Shard:
    """One process's part: runs forward, keeps the graphs, and runs backward through them."""

    def __init__(self, forward: Callable[[Any], Sequence[Tensor]], parameters: Sequence[Tensor]) -> None:
        self._forward, self.parameters = forward, parameters
        self._open: list[Tensor] = []

    def run(self, task: Any) -> Sequence[Tensor]:
        outputs = self._forward(task)
        self._open += outputs
        return outputs

    def back(self, grads: Sequence[Tensor | None]) -> Sequence[Tensor | None]:
        outputs, self._open = self._open, []
        pairs = [
            (out, grad) for out, grad in zip(outputs, grads, strict=True) if out.requires_grad and grad is not None
        ]
        if not pairs:
            return [None] * len(self.parameters)
        roots, given = zip(*pairs, strict=True)
        result: Sequence[Tensor | None] = torch.autograd.grad(roots, self.parameters, given, allow_unused=True)
        return result


class _ShardWorker:
    """Another process with a shard of its own; its gradients come back in shared memory."""

    def __init__(self, shard: _Shard, threads: int, *, others: Sequence[_ShardWorker]) -> None:
        fork = multiprocessing.get_context("fork")
        self._ours, theirs = fork.Pipe()
        self.grads: list[Tensor] = [torch.zeros_like(part) for part in shard.parameters]
        for grad in self.grads:
            grad.share_memory_()  # type: ignore[no-untyped-call]
        ends = [self._ours, *(other._ours for other in others)]
        self._process = fork.Process(target=_serve, args=(shard, self.grads, threads, theirs, ends), daemon=True)
        with warnings.catch_warnings():  # Python 3.12 warns of threads that hold a lock: a worker uses none of them
            warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
            self._process.start()
        theirs.close()

    def send(self, task: Any) -> None:
        try:
            self._ours.send(task)
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
        raise RuntimeError(f"a worker process ended (exit code {code}); its traceback stands above")

    def stop(self) -> None:
        with contextlib.suppress(OSError):  # it may have ended by itself
            self._ours.send(STOP)  # other processes may hold this end too, so that closing it would not tell
        self._ours.close()
        self._process.join(timeout=10)


def _serve(shard: _Shard, grads: Sequence[Tensor], threads: int, tasks: Connection, ends: Sequence[Connection]) -> None:
    """A worker's loop: ends on `STOP`, or when the parent process is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process decides when to stop
    torch.set_num_threads(threads)
    for end in ends:
        end.close()
    while True:
        try:
            kind, given = tasks.recv()
        except EOFError:
            return
        if kind == "stop":
            return
        if kind == "run":
            tasks.send(tuple(one.detach().numpy() for one in shard.run(given)))
            continue
        grads_here = shard.back([None if grad is None else torch.from_numpy(grad) for grad in given])
        for shared, grad in zip(grads, grads_here, strict=True):
            if grad is not None:
                shared.copy_(grad)
        tasks.send([grad is not None for grad in grads_here])


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    """So many threads for an operation, and as many as before again after."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def worker_count(device: torch.device) -> int:
    """As many processes as there are threads, up to `MAX_WORKERS`; one where processes cannot be forked."""
    alone = device.type != "cpu" or sys.platform != "linux" or torch.cuda.is_available()
    return 1 if alone else min(MAX_WORKERS, torch.get_num_threads())


def gather(parts: Sequence[Tensor], rows: Sequence[Tensor]) -> Tensor:
    """Rows of all shards in their order in the batch; `rows` are the row numbers of each, as `split` gives them."""
    return torch.cat(list(parts))[torch.cat(list(rows)).argsort().to(parts[0].device)]
