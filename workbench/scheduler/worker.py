"""The only owner of the device: one thread that runs batches and steps, one at a time, in fair turns.

Everything is bounded: waiting items, long jobs in all and of one owner, finished steps that are not taken.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from workbench.errors import Busy, Cancelled, WorkbenchError
from workbench.scheduler.cancel import CancelScope
from workbench.scheduler.turns import TurnQueue
from workbench.scheduler.work import END, BatchItem, Encode, LongJob, run_batch

T = TypeVar("T")

BATCH = 32  # items of one pass at most
PASS_SECONDS = 1.0  # of one pass, about; nobody's work is taken off the device sooner
LINGER = 0.004  # seconds that an unfilled batch waits for items that are on their way
OWNER_PART = "|"  # in an owner, between a visitor and one of its pages
GRACE = 0.05  # seconds after small requests in which a long job's step waits for the next one of the same question
HOLD = 0.5  # seconds after its last step from which a long job waits for no small request any more
MAX_ITEMS = 4096  # small requests that wait, of all owners
MAX_JOBS = 32  # long jobs of all owners
MAX_JOBS_EACH = 3  # long jobs of one owner

_log = logging.getLogger(__name__)


class Scheduler:
    """Runs everybody's work on the device, one thing at a time.

    Args:
        batch: items of one pass at most.
        linger: seconds that an unfilled batch waits, and only while a caller says that more is coming.
        jobs: long jobs of all owners, and of one owner, beyond which more are refused.
        clock: seconds that only grow.
        lost: called in the worker when the device failed, before the callers hear of it.
        threaded: False leaves the device to whoever calls `turn`, as tests do.
    """

    def __init__(
        self,
        *,
        batch: int = BATCH,
        linger: float = LINGER,
        jobs: tuple[int, int] = (MAX_JOBS, MAX_JOBS_EACH),
        clock: Callable[[], float] = time.monotonic,
        lost: Callable[[], None] = lambda: None,
        threaded: bool = True,
    ) -> None:
        self._batch, self._linger, self._jobs, self._lost = batch, linger, jobs, lost
        self._clock, self._threaded = clock, threaded
        self._turns = TurnQueue()
        self._ceilings: dict[Hashable, int] = {}  # items that fitted into memory last time, by key
        self._paces: dict[Hashable, int] = {}  # items that make a pass of about `PASS_SECONDS`, by key
        self._batch_ended = self._step_ended = -HOLD  # moments on the clock
        self._coming = 0  # callers who are about to submit more
        self._closing = False
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """Small requests and long jobs that are not done yet, the one on the device apart."""
        with self._changed:
            return len(self._turns)

    def submit(
        self, key: Hashable, value: Any, encode: Encode, *, owner: str, scope: CancelScope | None = None
    ) -> Future[Any]:
        """Queue one small request; items of equal `key` share a batch and must have equivalent `encode`.

        Turns are fair between owners, or between what stands before `OWNER_PART` in them: one visitor's open pages
        have one turn together.

        Raises:
            Busy: too many wait already.
            Cancelled: the scheduler is closing.
        """
        item = BatchItem(
            key, value, encode, owner.partition(OWNER_PART)[0] or owner, scope or CancelScope(), self._clock()
        )
        with self._changed:
            self._refuse_when_closing()
            if self._turns.items >= MAX_ITEMS:
                raise Busy(f"All slots are busy: {MAX_ITEMS} images and texts are waiting. Please try again shortly.")
            self._turns.add_item(item)
            self._wake()
        return item.future

    @contextmanager
    def more_coming(self) -> Iterator[None]:
        """While images are being prepared, let an unfilled batch wait a moment for them."""
        with self._changed:
            self._coming += 1
        try:
            yield
        finally:
            with self._changed:
                self._coming -= 1
                if not self._coming:
                    self._changed.notify()

    def stream(self, work: Callable[[], Iterator[T]], *, owner: str, scope: CancelScope | None = None) -> Iterator[T]:
        """Run a long job one step at a time, and yield each step's value.

        At most one finished step waits for the caller; until it is taken, the job stands still. A caller who stops
        listening, cancels or runs out of time ends the job: its generator is closed in the worker.

        Raises:
            Busy: this owner, or all together, have too many long jobs already.
        """
        job = self.open(work, owner=owner, scope=scope)
        try:
            while (value := job.scope.wait(job.slot)) is not END:
                self.advance(job)
                yield value
        finally:
            self.abandon(job)

    def open(self, work: Callable[[], Iterator[Any]], *, owner: str, scope: CancelScope | None = None) -> LongJob:
        """Queue a long job without waiting for it; `advance` takes a step, `abandon` ends it. See `stream`."""
        job = LongJob(work, owner, scope or CancelScope())
        most, most_each = self._jobs
        with self._changed:
            self._refuse_when_closing()
            if sum(1 for _ in self._turns.jobs(owner)) >= most_each:
                raise Busy(f"You have {most_each} long jobs, the most for one visitor. Wait for one, or stop one.")
            if sum(1 for _ in self._turns.jobs()) >= most:
                raise Busy(f"All slots are busy: {most} long jobs are waiting. Please try again shortly.")
            self._turns.add_job(job)
            self._wake()
        job.forget = job.scope.token.on_cancel(self._poke)
        return job

    def advance(self, job: LongJob) -> None:
        """Take the finished step out of `job.slot`, so that the next one may run."""
        with self._changed:
            job.advance()
            self._changed.notify()

    def abandon(self, job: LongJob) -> None:
        """Drop a job; one that has ended is left as it is."""
        job.forget()
        job.scope.stop_listening()
        self._poke()

    def turn(self) -> bool:
        """Do one thing on the device; return whether there was anything to do."""
        with self._changed:
            over = [(job, reason) for job in self._turns.jobs() if (reason := self._reason(job)) is not None]
            for job, _ in over:
                self._turns.remove_job(job)
            task = self._turns.take(self._most, small_first=self._grace() > 0)
        for job, reason in over:
            self._close(job, reason)
        if isinstance(task, LongJob):
            self._step(task)
            self._step_ended = self._clock()
        elif task is not None:
            self._run(task)
            self._batch_ended = self._clock()
        return bool(over) or task is not None

    def close(self, timeout: float = 10.0) -> None:
        """Refuse new work, finish the small requests that wait, stop the long jobs after their step.

        Args:
            timeout: seconds to wait for the step that is on the device.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
            if thread.is_alive():
                self._cancel_all()
        while not self._threaded and self.turn():
            pass

    def _cancel_all(self) -> None:
        with self._changed:
            tokens = [work.scope.token for work in self._turns.everything()]
        for token in tokens:  # whoever waits returns at once
            token.cancel()

    def _refuse_when_closing(self) -> None:
        if self._closing:
            raise Cancelled("The workbench is shutting down.")

    def _reason(self, job: LongJob) -> WorkbenchError | None:
        return Cancelled("The workbench is shutting down.") if self._closing else job.scope.over()

    def _wake(self) -> None:
        if self._threaded and self._thread is None:
            self._thread = threading.Thread(target=self._work, name="device", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _poke(self) -> None:
        with self._changed:
            self._changed.notify()

    def _work(self) -> None:
        while self._something_to_do():
            self.turn()

    def _something_to_do(self) -> bool:
        with self._changed:
            while True:
                if self._turns.items or self._turns.ready() or any(self._reason(job) for job in self._turns.jobs()):
                    if (pause := self._pause()) <= 0:
                        return True
                    self._changed.wait(pause)
                elif self._closing:
                    return False
                else:
                    self._changed.wait(self._seconds_to_deadline())

    def _pause(self) -> float:
        """Seconds to wait for a fuller batch (if more could come and nothing else could run) or for a small request."""
        if self._closing or any(self._reason(job) for job in self._turns.jobs()):
            return 0.0
        if not self._turns.items:
            return self._grace()
        if not self._coming or self._turns.ready():
            return 0.0
        size, since = self._turns.next_batch()
        return 0.0 if size >= self._batch else since + self._linger - self._clock()

    def _grace(self) -> float:
        """Seconds for which long jobs let small requests go first, so that a question waits for one step, not two."""
        if not self._threaded:
            return 0.0
        return min(self._batch_ended + GRACE, self._step_ended + HOLD) - self._clock()

    def _seconds_to_deadline(self) -> float | None:
        """Seconds until the first job that stands still runs out of time; None when none will."""
        moments = [job.scope.until for job in self._turns.jobs() if job.scope.until is not None]
        return max(0.0, min(moments) - self._clock()) if moments else None

    def _step(self, job: LongJob) -> None:
        if not job.step(self._lost):
            with self._changed:
                self._turns.remove_job(job)
            self._close(job, Cancelled("This job has ended."))

    def _close(self, job: LongJob, reason: WorkbenchError) -> None:
        job.forget()
        error = job.close()
        with self._changed:
            job.end(reason)
        if error is not None:
            _log.warning("A stopped job did not end cleanly: %r", error)

    def _run(self, items: list[BatchItem]) -> None:
        key = items[0].key
        ceiling = self._ceilings.pop(key, self._batch)
        begun = self._clock()
        fitted = run_batch(items, self._lost)
        self._pace(key, len(items), self._clock() - begun)
        if fitted is not None:
            self._ceilings[key] = fitted
        elif ceiling < self._batch:  # memory may be free again: feel the way back up
            self._ceilings[key] = ceiling + (len(items) >= ceiling)

    def _most(self, key: Hashable) -> int:
        return min(self._ceilings.get(key, self._batch), self._paces.get(key, self._batch))

    def _pace(self, key: Hashable, number: int, seconds: float) -> None:
        """Keep passes short, so that work ends soon after its owner has left, and questions wait little."""
        most = self._paces.pop(key, self._batch)
        if seconds > PASS_SECONDS:
            most = max(1, int(number * PASS_SECONDS / seconds))
        elif seconds < PASS_SECONDS / 2 and number >= most:
            most *= 2
        if most < self._batch:
            self._paces[key] = most
