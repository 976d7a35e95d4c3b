"""Native work on strangers' bytes and text, in processes that may die: image and video decoders, LanceDB.

    pool      who works next; a crash costs one job and one line of the log
    process   one worker as the server sees it: started, asked, killed
    child     one worker as it sees itself: limits, and a loop over requests
    channel   messages between the two: JSON, with bytes in memory that both share; nothing is unpickled
    jobs      the table of what workers do, with its limits

A server calls `supervised`. Without it, as in scripts and commands on a user's own files, the same functions run in
the calling process.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from workbench.errors import OutOfResources
from workbench.worker import jobs
from workbench.worker.jobs import Lane
from workbench.worker.pool import WorkerPool
from workbench.worker.process import Died

__all__ = ["WorkerPool", "active", "supervised"]

_log = logging.getLogger(__name__)
_pools: list[WorkerPool] = []  # the last one is asked


def active() -> WorkerPool | None:
    """Return the pool that native work goes to; None where the calling process does it, as in a fork of the server."""
    return _pools[-1] if _pools and _pools[-1].process == os.getpid() else None


@contextmanager
def supervised(first: Lane = jobs.IMAGE) -> Iterator[None]:
    """Let workers do native work inside the block; the first one, of the lane given, starts in the background.

    Where a machine makes no processes, or has no pipes to hand on (Windows), the calling process goes on doing it, and
    the log says so.
    """
    if os.name != "posix":
        _log.warning("No workers on this system: the serving process decodes images and videos, and reads indexes.")
        yield
        return
    pool = WorkerPool()
    _pools.append(pool)
    starting = threading.Thread(target=_start, args=[pool, first], name="first worker", daemon=True)
    starting.start()
    try:
        yield
    finally:
        if pool in _pools:
            _pools.remove(pool)
        starting.join()
        pool.close()


def _start(pool: WorkerPool, first: Lane) -> None:
    try:
        pool.warm(first)
    except (OutOfResources, Died) as error:
        _log.warning("No workers here: the serving process decodes images and videos, and reads indexes (%s).", error)
        if pool in _pools:
            _pools.remove(pool)
