"""Run and Stop: each open page has one run at a time of a kind, a press of Run always begins one, and Stop ends it.

Gradio's own `cancels` would lose presses: while the server still waits for the step that is under way, the page counts
the stopped event as running and ignores the next click. Here Stop throws a switch on the server, the run says its last
words itself, and a newer run begins when the one before it has ended. Knows no model and no tab.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, TypeVar

import gradio as gr

from apps._handler import owner
from workbench.errors import Busy, Cancelled
from workbench.scheduler import CancelToken

T = TypeVar("T")

WAIT = 120.0  # seconds that a newer run waits for the end of the one before it
REMEMBERED = 10_000  # pages whose run has not begun yet; the oldest are forgotten


@dataclass(eq=False)
class _Run:
    token: CancelToken = field(default_factory=CancelToken)
    stopped: bool = False  # by its visitor, not by a newer run


class Runs:
    """The runs of all open pages; a page is known by its owner id.

    Args:
        stopped: what a stopped run says, as Markdown.
        places: runs at once, for the words to those who wait; None says nothing.
        wait: seconds that a newer run waits for the end of the one before it.
    """

    def __init__(self, stopped: str, *, places: int | None = None, wait: float = WAIT) -> None:
        self.stopped = stopped
        self._places, self._wait = places, wait
        self._changed = threading.Condition()
        self._newest: dict[str, _Run] = {}  # page -> the run that was asked for last
        self._working: dict[str, _Run] = {}  # page -> the run that computes; an older one perhaps, at its last step
        self._pressed: OrderedDict[str, bool] = OrderedDict()  # page -> whether its run was stopped before it began

    def press(self, page: str) -> str:
        """Note that a run was asked for, and return what to say where all places are taken; else nothing."""
        with self._changed:
            self._pressed.pop(page, None)
            self._pressed[page] = False
            while len(self._pressed) > REMEMBERED:
                self._pressed.popitem(last=False)
            others = sum(other != page for other in self._newest)
        full = self._places is not None and others >= self._places
        return f"{others} others are at it, which is the most at once. Yours begins when one of them ends." * full

    def stop(self, page: str) -> bool:
        """End the page's run at its next step, one that has not begun yet included; return whether there was one."""
        with self._changed:
            run = self._newest.get(page)
            waits = page in self._pressed
            if waits:
                self._pressed[page] = True
        if run is not None:
            self._end(run, stopped=True)
        return run is not None or waits

    def newest(self, page: str, work: Callable[[CancelToken], Iterator[T]], *, stopped: T) -> Iterator[T]:
        """Do work as the page's one run: end the one before it, then yield what `work` yields.

        Args:
            page: whose run it is.
            work: takes the token by which it is stopped, and yields screens.
            stopped: the last screen where the visitor stopped it.

        Raises:
            Cancelled: a newer run was asked for.
            Busy: the run before it did not end in time.
        """
        run = self._begin(page)
        try:
            self._take_over(page, run)
            with closing(work(run.token)) as screens:  # type: ignore[type-var]
                for screen in screens:
                    yield screen
                    _check(run)
        except Cancelled:
            if not run.stopped:
                raise
            yield stopped
        finally:
            self._leave(page, run)

    def _begin(self, page: str) -> _Run:
        run = _Run()
        with self._changed:
            before = self._newest.get(page)
            self._newest[page] = run
            stopped = self._pressed.pop(page, False)
        if before is not None:
            self._end(before)
        if stopped:
            self._end(run, stopped=True)
        return run

    def _end(self, run: _Run, *, stopped: bool = False) -> None:
        run.stopped = run.stopped or stopped
        run.token.cancel()
        with self._changed:
            self._changed.notify_all()

    def _take_over(self, page: str, run: _Run) -> None:
        """Wait until nothing computes for the page any more; who is stopped meanwhile does not wait on."""
        with self._changed:
            self._changed.wait_for(lambda: page not in self._working or run.token.cancelled, self._wait)
            _check(run)
            if page in self._working:
                raise Busy("What was stopped here has not ended yet. Please press again in a moment.")
            self._working[page] = run

    def _leave(self, page: str, run: _Run) -> None:
        run.token.cancel()
        with self._changed:
            for runs in (self._newest, self._working):
                if runs.get(page) is run:
                    del runs[page]
            self._changed.notify_all()


def wire(runs: Runs, go: gr.Button, stop: gr.Button, *, says: gr.Markdown, event: dict[str, Any]) -> None:
    """Let one button begin runs and another stop them.

    Args:
        runs: the runs of this kind.
        go: begins one.
        stop: stops it.
        says: where waiting and stopping are told.
        event: what gradio's listener takes: `fn`, which uses `runs.newest`, `inputs`, `outputs` and so on.
    """

    def pressed(request: gr.Request) -> Any:
        return runs.press(owner(request)) or gr.skip()

    def halt(request: gr.Request) -> Any:
        return runs.stopped if runs.stop(owner(request)) else gr.skip()

    aside: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    always: Any = {"trigger_mode": "multiple"}  # "once" would ignore a press while the run before it ends
    go.click(pressed, None, says, **always, **aside).then(**event, **always)
    stop.click(halt, None, says, **always, **aside)


def _check(run: _Run) -> None:
    if run.token.cancelled:
        raise Cancelled("Stopped on request.")
