"""What gradio keeps of each open page: its state and the components it changed, and for how long.

Does not know about tabs. Gradio would copy the whole page for each visitor, to serve links to others' settings
(deep links), which are closed here; and it would keep what a page leaves behind until thousands of others have come.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import gradio.routes
import gradio.state_holder

CAPACITY = 4000  # pages; the longest unused are forgotten
LEFT_SECONDS = 600.0  # after which a page that nobody has open, and that asks nothing, is forgotten


class Sessions(gradio.state_holder.StateHolder):
    """The pages of a server; a page that lost its connection for long starts anew in its browser as well."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._open: Counter[str] = Counter()  # page -> streams that its browser holds open while it is shown
        self._used: dict[str, float] = {}

    def __getitem__(self, session_id: str) -> gradio.state_holder.SessionState:
        self._used[session_id] = self._clock()
        return super().__getitem__(session_id)

    @contextmanager
    def shown(self, page: str) -> Iterator[None]:
        """Note, while the stream is open, that a browser shows a page."""
        self._open[page] += 1
        try:
            yield
        finally:
            self._open[page] -= 1
            if not self._open[page]:
                del self._open[page]
            if page in self._used:
                self._used[page] = self._clock()

    def delete_all_expired_state(self) -> None:
        """Forget the pages that were left; gradio asks each second."""
        before = self._clock() - LEFT_SECONDS
        for page, used in list(self._used.items()):
            if used < before and page not in self._open:
                self.delete_state(page)
                del self._used[page]
                with self.lock:
                    self.session_data.pop(page, None)
                    self.time_last_used.pop(page, None)


class _Session(gradio.state_holder.SessionState):
    def __init__(self, blocks: Any) -> None:
        super().__init__(SimpleNamespace(default_config=blocks.default_config, blocks={}))  # type: ignore[arg-type]

    def __setitem__(self, key: int, value: Any) -> None:
        super().__setitem__(key, value)
        self.config_values.clear()

    def _update_config(self, key: int) -> None:
        """Nobody reads it."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Nobody reads it."""


def install() -> Sessions:
    """Let the next application of gradio keep its pages here; return them."""
    sessions = Sessions()
    gradio.state_holder.SessionState = _Session  # type: ignore[misc]
    gradio.routes.StateHolder = lambda: sessions  # type: ignore[attr-defined, assignment]
    return sessions
