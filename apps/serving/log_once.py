"""A log that an attacker cannot fill: a message that repeats is written once, and later with a count.

Does not know about requests. What differs only in addresses and numbers counts as the same message.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable

LOGGERS = ("uvicorn.error", "asyncio", "clip_workbench.serving")
AGAIN_SECONDS = 60.0  # how often a message that repeats is written, with its count
REMEMBERED = 200  # different messages


class Once(logging.Filter):
    """Lets a message pass once a minute, and adds how often it came meanwhile."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._passed: OrderedDict[tuple[object, ...], tuple[float, int]] = OrderedDict()  # when, repeats since then

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the record is written."""
        if record.levelno < logging.WARNING:
            return True
        key, now = _kind(record), self._clock()
        with self._lock:
            when, repeats = self._passed.pop(key, (now - AGAIN_SECONDS, 0))
            passes = now - when >= AGAIN_SECONDS
            self._passed[key] = (now, 0) if passes else (when, repeats + 1)
            while len(self._passed) > REMEMBERED:
                self._passed.popitem(last=False)
        if passes and repeats:
            record.msg, record.args = f"{record.getMessage()} ({repeats} more since it was last written)", ()
            record.exc_info = record.exc_text = None
        return passes


def _kind(record: logging.LogRecord) -> tuple[object, ...]:
    """What makes two records the same: where they were written, and for a traceback where it arose."""
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    frames = traceback.extract_tb(error.__traceback__) if error else []
    last = (frames[-1].filename, frames[-1].lineno) if frames else ()
    return (record.name, record.pathname, record.lineno, str(record.msg)[:80], type(error), last)


def install() -> None:
    """Let the server's loggers write each message once a minute; gradio's own tracebacks go through one of them."""
    import gradio.queueing
    import gradio.routes

    once = Once()
    for name in LOGGERS:
        logging.getLogger(name).addFilter(once)
    for module in (gradio.queueing, gradio.routes):
        module.traceback = _Traceback  # type: ignore[attr-defined]


class _Traceback:
    """Stands in for the module `traceback` where gradio prints each error of a job."""

    format_exc = staticmethod(traceback.format_exc)

    @staticmethod
    def print_exc() -> None:
        logging.getLogger(LOGGERS[-1]).exception("A job failed")
