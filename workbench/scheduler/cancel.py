"""How long a caller waits: until a deadline, until a token is cancelled, or until it stops listening by itself."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from workbench.errors import Cancelled, DeadlinePassed, WorkbenchError

T = TypeVar("T")

_current: ContextVar[CancelScope | None] = ContextVar("scope", default=None)


class CancelToken:
    """A switch that stops work; any thread may throw it, once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._numbers = itertools.count()
        self._listeners: dict[int, Callable[[], object]] = {}

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled

    def cancel(self) -> None:
        """Call all listeners; a second call does nothing."""
        with self._lock:
            self._cancelled = True
            listeners, self._listeners = list(self._listeners.values()), {}
        for listener in listeners:
            listener()

    def on_cancel(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call `listener` on cancel (at once if that was before); return a function that removes the listener."""
        with self._lock:
            number = next(self._numbers)
            if not self._cancelled:
                self._listeners[number] = listener
        if self._cancelled:
            listener()

        def forget() -> None:
            with self._lock:
                self._listeners.pop(number, None)

        return forget


@contextmanager
def waiting(scope: CancelScope) -> Iterator[None]:
    """Let a scope be that of all work which this thread asks for inside the block, where none is given."""
    before = _current.set(scope)
    try:
        yield
    finally:
        _current.reset(before)


def current_scope() -> CancelScope:
    """Return the scope of whoever asked for what this thread does; one without an end where nobody said."""
    return _current.get() or CancelScope()


class CancelScope:
    """How long one caller waits; once that is over, nothing more is computed for it.

    Args:
        token: cancels from outside.
        until: the deadline, in seconds on `clock`; None for none.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        token: CancelToken | None = None,
        until: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.token = token or CancelToken()
        self.until = until
        self._clock = clock
        self._listening = True

    def within(self, seconds: float) -> CancelScope:
        """Return the same scope, for that many seconds more at most."""
        moment = self._clock() + seconds
        return CancelScope(self.token, moment if self.until is None else min(moment, self.until), clock=self._clock)

    def stop_listening(self) -> None:
        """Say that the caller has left, for whatever reason."""
        self._listening = False

    def over(self) -> WorkbenchError | None:
        """Return why the caller no longer waits, or None."""
        if self.token.cancelled:
            return Cancelled("Stopped on request.")
        if not self._listening:
            return Cancelled("Request abandoned.")
        if self.until is not None and self._clock() >= self.until:
            return DeadlinePassed("Time limit reached; try fewer images or steps.")
        return None

    def check(self) -> None:
        """Raise if the caller no longer waits.

        Raises:
            Cancelled: the token was cancelled, or the caller left.
            DeadlinePassed: the deadline has passed.
        """
        if reason := self.over():
            raise reason

    def wait(self, future: Future[T]) -> T:
        """Return the future's result or raise its error, unless this scope ends first.

        Raises:
            Cancelled: at once when the token is cancelled, whatever is still computed.
            DeadlinePassed: the deadline has passed.
        """
        self.until_done(future)
        return future.result()

    def until_done(self, future: Future[T]) -> None:
        """Wait as `wait` does, but leave result or error in the future."""
        self.check()
        if future.done():
            return
        woken = threading.Event()
        future.add_done_callback(lambda _: woken.set())
        forget = self.token.on_cancel(woken.set)
        try:
            while not future.done():
                self.check()
                woken.wait(None if self.until is None else max(0.0, self.until - self._clock()))
            self.check()
        finally:
            forget()
