"""Workers for all callers: lanes by kind of work, each with a bounded number of processes that start when needed."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any, TypeVar

from workbench.errors import Cancelled
from workbench.scheduler.cancel import CancelScope, current_scope
from workbench.worker.jobs import Lane, NativeJob
from workbench.worker.process import CHECK_SECONDS, Died, Worker

T = TypeVar("T")

ATTEMPTS = 4  # of a job whose workers are killed, and do not crash
_log = logging.getLogger(__name__)


class WorkerPool:
    """Hands jobs to workers; thread-safe."""

    def __init__(self) -> None:
        self.process = os.getpid()  # a fork has no workers
        self._changed = threading.Condition()
        self._idle: dict[str, list[Worker]] = defaultdict(list)
        self._busy: dict[str, list[Worker]] = defaultdict(list)
        self._places: Counter[str] = Counter()  # taken, of each lane: busy or about to start
        self._closed = False

    def pids(self) -> list[int]:
        """Return the numbers of the processes that there are."""
        with self._changed:
            return [one.pid for one in self._all()]

    def warm(self, lane: Lane) -> None:
        """Start a worker before anybody needs it.

        Raises:
            OutOfResources, Died: none can be started.
        """
        with self._lent(lane, CancelScope()):
            pass

    def call(
        self,
        job: NativeJob,
        arguments: Mapping[str, Any],
        data: bytes = b"",
        *,
        read: Callable[[Any, memoryview], T],
        scope: CancelScope | None = None,
    ) -> T:
        """Have a job done that gives one value; return what `read` makes of it and its bytes. See `stream`.

        A worker that somebody kills, as a system out of memory does, is replaced, and the job begins anew.
        """
        scope = scope or current_scope()
        for left in reversed(range(ATTEMPTS)):
            try:
                with closing(self._answers(job, arguments, data, single=True, scope=scope)) as answers:
                    return read(*next(answers))
            except Died as death:
                if not left or death.code != -signal.SIGKILL:
                    raise _failed(job, death) from None
        raise AssertionError

    def stream(
        self,
        job: NativeJob,
        arguments: Mapping[str, Any],
        *,
        scope: CancelScope | None = None,
        again: bool = False,
    ) -> Generator[tuple[Any, memoryview]]:
        """Have a job done in a worker, and yield its values with their bytes, which hold until the next value.

        Args:
            job: see `jobs`.
            arguments: plain data, as JSON holds it.
            scope: how long the caller waits; then the worker is killed. `current_scope` where not given.
            again: the job yields the same values each time: it begins anew, as in `call`, and goes on where it was.

        Raises:
            Cancelled, DeadlinePassed: see `CancelScope`; or the job's own time has passed.
            OutOfResources: no worker can be started.
            WorkbenchError: what the job raises; the job's own error where its worker died.
        """
        scope, done = scope or current_scope(), 0
        for left in reversed(range(ATTEMPTS if again else 1)):
            try:
                answers = self._answers(job, arguments, b"", single=False, scope=scope)
                for answer in islice(answers, done, None):
                    done += 1
                    yield answer
                return
            except Died as death:
                if not left or death.code != -signal.SIGKILL:
                    raise _failed(job, death) from None

    def close(self) -> None:
        """Kill all workers, and refuse further jobs."""
        with self._changed:
            self._closed = True
            for worker in self._all():
                worker.stop()
            idle = [one for lane in self._idle.values() for one in lane]
            self._idle.clear()
            self._changed.notify_all()
        for worker in idle:
            worker.kill()

    def _answers(
        self, job: NativeJob, arguments: Mapping[str, Any], data: bytes, *, single: bool, scope: CancelScope
    ) -> Generator[tuple[Any, memoryview]]:
        try:
            with self._lent(job.lane, scope) as worker:
                yield from worker.answers(job, arguments, data, single=single, scope=scope)
        except Died as death:
            _log.warning("A worker ended while %s (%s); the next job gets a fresh one.", job.title, death)
            raise

    def _all(self) -> Iterator[Worker]:
        for lanes in (self._idle, self._busy):
            for lane in lanes.values():
                yield from lane

    @contextmanager
    def _lent(self, lane: Lane, scope: CancelScope) -> Iterator[Worker]:
        worker = self._take(lane, scope) or self._start(lane)
        try:
            yield worker
        finally:
            with self._changed:
                self._busy[lane.name].remove(worker)
                self._places[lane.name] -= 1
                keep = worker.alive and not self._closed
                if keep:
                    self._idle[lane.name].append(worker)
                gone = self._without_dead()
                self._changed.notify_all()
            for one in gone if keep else [worker, *gone]:
                one.kill()

    def _take(self, lane: Lane, scope: CancelScope) -> Worker | None:
        """Take a place in a lane, as soon as there is one; return the worker in it, None where it has to be started."""
        with self._changed:
            while self._places[lane.name] >= lane.workers:
                self._check()
                scope.check()
                self._changed.wait(CHECK_SECONDS)
            self._check()
            scope.check()
            self._places[lane.name] += 1
            gone = self._without_dead()
            worker = self._idle[lane.name].pop() if self._idle[lane.name] else None
            self._busy[lane.name] += [worker] if worker else []
        for one in gone:
            one.kill()
        return worker

    def _without_dead(self) -> list[Worker]:
        """Take workers that ended while they had nothing to do out of the lanes."""
        gone = [one for lane in self._idle.values() for one in lane if not one.alive]
        for lane in self._idle.values():
            lane[:] = [one for one in lane if one not in gone]
        return gone

    def _start(self, lane: Lane) -> Worker:
        try:
            worker = Worker(lane)
        except BaseException:
            with self._changed:
                self._places[lane.name] -= 1
                self._changed.notify_all()
            raise
        with self._changed:
            self._busy[lane.name].append(worker)
            return worker

    def _check(self) -> None:
        if self._closed:
            raise Cancelled("The workbench is shutting down.")


def _failed(job: NativeJob, death: Died) -> Exception:
    if death.code == -signal.SIGXCPU:
        return job.error(f"{job.title.capitalize()} takes longer than {job.cpu:.0f} s of computing, and was stopped.")
    if death.code == -signal.SIGABRT:
        memory = f"{job.lane.memory / 1e9:.0f} GB of memory"
        return job.error(f"The process that was {job.title} gave up (SIGABRT), as where one job needs over {memory}.")
    return job.error(
        f"The process that was {job.title} ended ({death}). Please try again; if it ends again, it is what was given."
    )
