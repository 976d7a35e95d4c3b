"""Long jobs of a view: start, stop, restart, a deadline per kind of job, and how often progress is shown.

Each open page has at most one job of a kind. Gradio's own `cancels` would lose clicks: while the server waits for the
current step, the page counts the stopped event as running and ignores the next click. Here Stop sets a token on the
server, the job sends its own last message, and a newer job starts when the one before it has ended.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, TypeVar

import gradio as gr

from apps import limits
from apps.shared.events import owner
from workbench.errors import Busy, Cancelled, WorkbenchError
from workbench.scheduler import CancelToken

T = TypeVar("T")

WAIT = 120.0  # seconds that a newer job waits for the end of the one before it
REMEMBERED = 10_000  # pages whose job has not begun yet; the oldest are forgotten
AFTER_STOP = 2  # updates: the one on its way, and what there is so far
PAUSE = 0.25  # seconds between two reports of progress
STOPPED = "Stopped."


@dataclass(eq=False)
class _Job:
    token: CancelToken = field(default_factory=CancelToken)
    stopped: bool = False  # by its visitor, not by a newer job


class Jobs:
    """The jobs of one kind, of all open pages; a page is known by its owner id.

    Args:
        kind: of the jobs; `limits` has a row `KIND_seconds` for it.
        stopped: the message after Stop, as Markdown.
        places: jobs at once, for the message to those who wait; None gives no message.
        wait: seconds that a newer job waits for the end of the one before it.
    """

    def __init__(self, kind: str, *, stopped: str = STOPPED, places: int | None = None, wait: float = WAIT) -> None:
        self.kind, self.stopped = kind, stopped
        self._places, self._wait = places, wait
        self._changed = threading.Condition()
        self._newest: dict[str, _Job] = {}  # page -> the job that was requested last
        self._working: dict[str, _Job] = {}  # page -> the job that computes; an older one perhaps, at its last step
        self._requested: OrderedDict[str, bool] = OrderedDict()  # page -> whether its job was stopped before it began

    @property
    def seconds(self) -> float:
        """Deadline of one job of this kind, in seconds."""
        return float(getattr(limits.current(), f"{self.kind}_seconds"))

    def request(self, page: str) -> str:
        """Note that a job was requested; return a message where all places are taken, else ""."""
        with self._changed:
            self._requested.pop(page, None)
            self._requested[page] = False
            while len(self._requested) > REMEMBERED:
                self._requested.popitem(last=False)
            others = sum(other != page for other in self._newest)
        full = self._places is not None and others >= self._places
        return "All slots are busy; yours starts when one frees." if full else ""

    def stop(self, page: str) -> bool:
        """End the page's job at its next step, or before it begins; return whether there was one."""
        with self._changed:
            job = self._newest.get(page)
            waits = page in self._requested
            if waits:
                self._requested[page] = True
        if job is not None:
            self._end(job, stopped=True)
        return job is not None or waits

    def run(
        self, page: str, work: Callable[[CancelToken], Iterator[T]], *, stopped: T, failed: T | None = None
    ) -> Iterator[T]:
        """Do work as the page's only job: end the one before it, then yield what `work` yields.

        Args:
            page: owner id.
            work: takes the token that stops it, and yields updates; after Stop it may say what it has so far.
            stopped: the last update where the visitor stopped it.
            failed: the last update before an error of `work`, which takes an older answer away; None leaves it.

        Raises:
            Cancelled: a newer job was requested.
            Busy: the job before it did not end in time.
            WorkbenchError: what `work` raises.
        """
        job = self._begin(page)
        try:
            self._take_over(page, job)
            with closing(work(job.token)) as updates:  # type: ignore[type-var]
                left = AFTER_STOP
                for update in updates:
                    yield update
                    left -= job.token.cancelled
                    if not (job.stopped and left):
                        _check(job)
            _check(job)
        except Cancelled:
            if not job.stopped:
                raise
            yield stopped
        except WorkbenchError:
            if failed is not None:
                yield failed
            raise
        finally:
            self._leave(page, job)

    def _begin(self, page: str) -> _Job:
        job = _Job()
        with self._changed:
            before = self._newest.get(page)
            self._newest[page] = job
            stopped = self._requested.pop(page, False)
        if before is not None:
            self._end(before)
        if stopped:
            self._end(job, stopped=True)
        return job

    def _end(self, job: _Job, *, stopped: bool = False) -> None:
        job.stopped = job.stopped or stopped
        job.token.cancel()
        with self._changed:
            self._changed.notify_all()

    def _take_over(self, page: str, job: _Job) -> None:
        """Wait until nothing computes for the page any more, or this job is stopped."""
        with self._changed:
            self._changed.wait_for(lambda: page not in self._working or job.token.cancelled, self._wait)
            _check(job)
            if page in self._working:
                raise Busy("The stopped job has not ended yet. Press again in a moment.")
            self._working[page] = job

    def _leave(self, page: str, job: _Job) -> None:
        job.token.cancel()
        with self._changed:
            for jobs in (self._newest, self._working):
                if jobs.get(page) is job:
                    del jobs[page]
            self._changed.notify_all()


def wire(jobs: Jobs, go: gr.Button, stop: gr.Button, *, status: gr.Markdown, event: dict[str, Any]) -> None:
    """Let one button start jobs and another stop them.

    Args:
        jobs: the jobs of this kind.
        go: starts one.
        stop: stops it.
        status: shows the messages about waiting and stopping.
        event: what gradio's listener takes: `fn`, which uses `jobs.run`, `inputs`, `outputs` and so on.
    """

    def start(request: gr.Request) -> Any:
        return jobs.request(owner(request)) or gr.skip()

    def halt(request: gr.Request) -> Any:
        return jobs.stopped if jobs.stop(owner(request)) else gr.skip()

    aside: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    always: Any = {"trigger_mode": "multiple"}  # "once" would ignore a click while the job before it ends
    go.click(start, None, status, **always, **aside).then(**event, **always)
    stop.click(halt, None, status, **always, **aside)


def throttle(updates: Iterator[T], *, passes: Callable[[T], bool], pause: float = PAUSE) -> Iterator[T]:
    """Yield the updates that `passes` accepts, and of the others at most one per `pause` seconds."""
    last = -pause
    for update in updates:
        now = time.monotonic()
        if passes(update) or now - last >= pause:
            last = now
            yield update


def _check(job: _Job) -> None:
    if job.token.cancelled:
        raise Cancelled("Stopped on request.")
