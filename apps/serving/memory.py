"""Give memory back to the system that large images and long jobs leave behind.

Does not know about images. glibc keeps freed memory for later, in one arena for each thread; on systems with another
allocator nothing here has an effect.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

EVERY_SECONDS = 15.0


@contextmanager
def given_back() -> Iterator[None]:
    """Trim the heap every few seconds until the end."""
    try:
        trim = ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):
        yield
        return
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(EVERY_SECONDS):
            trim(0)

    thread = threading.Thread(target=work, name="memory", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
