"""Prepare the next groups of items on other threads while the caller works on this one; memory stays bounded."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from typing import TypeVar

MAX_WORKERS = 8  # beyond this, the disk or the model is the bottleneck; half of the processors are left to the model

T = TypeVar("T")
R = TypeVar("R")


def prefetch(
    groups: Iterable[Sequence[T]],
    prepare: Callable[[T], R],
    *,
    ahead: int = 1,
    workers: int | None = None,
    check: Callable[[], None] = lambda: None,
) -> Iterator[list[R]]:
    """Yield what `prepare` returns for each group's items, in order, while the next groups are prepared.

    At most `ahead` + 1 groups are in memory. Closing the generator drops what has not begun and ends the threads.

    Args:
        groups: read only as far as they are needed.
        prepare: called on a worker thread, in this one's context; what it raises is raised here.
        ahead: groups that are prepared in advance.
        workers: threads; half of the processors, at most eight, where not given.
        check: called before each wait for an item; may raise to stop.
    """
    threads = workers or max(1, min(MAX_WORKERS, (os.cpu_count() or 1) // 2))
    pool = ThreadPoolExecutor(threads, thread_name_prefix="prefetch")
    waiting: deque[list[Future[R]]] = deque()
    rest = iter(groups)
    try:
        while True:
            for group in islice(rest, ahead + 1 - len(waiting)):
                waiting.append([pool.submit(copy_context().run, prepare, item) for item in group])
            if not waiting:
                return
            prepared = []
            for future in waiting.popleft():
                check()
                prepared.append(future.result())
            yield prepared
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
