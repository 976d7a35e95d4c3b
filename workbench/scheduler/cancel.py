"""How long a caller waits: until a moment, until a token is cancelled, or until it stops listening by itself.

Knows nothing of what is waited for beyond its `Future`.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from workbench.errors import Cancelled, DeadlinePassed, WorkbenchError

T = TypeVar("T")


class CancelToken:
    """A switch that stops work; it can be thrown from any thread, once, and never back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._numbers = itertools.count()
        self._listeners: dict[int, Callable[[], object]] = {}

    @property
    def cancelled(self) -> bool:
        """Whether the switch was thrown."""
        return self._cancelled

    def cancel(self) -> None:
        """Stop what listens; a second call does nothing."""
        with self._lock:
            self._cancelled = True
            listeners, self._listeners = list(self._listeners.values()), {}
        for listener in listeners:
            listener()

    def on_cancel(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call `listener` when the switch is thrown (at once if it was); return what takes the listener away again."""
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


class CancelScope:
    """One caller's willingness to wait; once it is over, nothing more is computed for that caller.

    Args:
        token: cancels from outside.
        until: moment on `clock` when the deadline passes, in seconds; None for no deadline.
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
        """Say that nobody waits any more, whatever the reason."""
        self._listening = False

    def over(self) -> WorkbenchError | None:
        """Return why nobody waits any more, or None."""
        if self.token.cancelled:
            return Cancelled("Stopped on request.")
        if not self._listening:
            return Cancelled("Nobody waits for this any more.")
        if self.until is not None and self._clock() >= self.until:
            return DeadlinePassed("This took longer than it may, and was stopped. Fewer pictures or steps take less.")
        return None

    def check(self) -> None:
        """Raise if the caller waits no more.

        Raises:
            Cancelled: the token was cancelled, or the caller went away.
            DeadlinePassed: the moment has come.
        """
        if reason := self.over():
            raise reason

    def wait(self, future: Future[T]) -> T:
        """Return the future's result or raise its error, unless scope ends first.

        Raises:
            Cancelled: at once when the token is cancelled, whatever is still computed.
            DeadlinePassed: the moment has come.
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
