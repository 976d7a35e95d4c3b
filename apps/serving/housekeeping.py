"""What a server does while it runs: give memory back to the system, and delete what visitors left an hour ago.

Does not know about requests. Gradio deletes by itself only the files that it made, not the folders of runs and
downloads beside them. glibc keeps freed memory for later: a trim gives it back of the heap that all threads share, but
of heaps that threads have to themselves it leaves the end, which large images fill. So there is one heap. On systems
with another allocator that part has no effect.
"""

from __future__ import annotations

import contextlib
import ctypes
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from apps.limits import Limits
from apps.serving.environment import LOCK

TRIM_SECONDS = 15.0
_M_ARENA_MAX = -8  # of glibc's mallopt


@contextmanager
def kept_clean(uploads: Path, limits: Limits) -> Iterator[None]:
    """Trim the heap and delete old uploads every now and then until the end; to be entered before threads start."""
    one_heap()
    stop = threading.Event()

    def work() -> None:
        trim, swept = trimmer(), time.monotonic()
        began = time.time() - time.monotonic()
        while not stop.wait(min(TRIM_SECONDS, limits.sweep_seconds)):
            trim()
            if time.monotonic() - swept >= limits.sweep_seconds:
                delete_old(uploads, limits.keep_seconds, clock=began + time.monotonic())
                swept = time.monotonic()

    thread = threading.Thread(target=work, name="housekeeping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def delete_old(folder: Path, seconds: float, *, clock: float | None = None) -> None:
    """Delete what lies in a folder and has not changed for that long, a folder as a whole.

    Args:
        folder: of uploads.
        seconds: since the last change.
        clock: the time by a clock that nobody sets, seconds since 1970. Where the system's clock was set, the younger
            of two ages counts: too late rather than too early.
    """
    now = time.time() if clock is None else min(time.time(), clock)
    for entry in folder.iterdir():
        if entry.name != LOCK and now - _newest(entry) > seconds:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


def _newest(entry: Path) -> float:
    """When something was last written in a file or folder, in seconds since 1970."""
    newest = 0.0
    below = entry.rglob("*") if entry.is_dir() and not entry.is_symlink() else ()
    for file in (entry, *below):
        with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
            newest = max(newest, file.lstat().st_ctime)
    return newest


def one_heap() -> None:
    """Let all threads that start from here on take memory from one heap."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 1)


def trimmer() -> Callable[[], object]:
    """Return the function that gives free memory back to the system."""
    try:
        malloc_trim = ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):
        return lambda: None
    return lambda: malloc_trim(0)
