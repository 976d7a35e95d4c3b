"""Progress of long work for whoever looks: a bar of tqdm in a terminal or a notebook, or a function of the caller."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

from workbench.progress import Progress

T = TypeVar("T")
Watch: TypeAlias = bool | Callable[[Progress], None] | None
DELAY = 1.0  # seconds of work before a bar appears


@contextmanager
def watching(watch: Watch) -> Iterator[Callable[[Progress], None]]:
    """Give a function that takes the reports of a long job.

    Args:
        watch: None shows a bar where a terminal or a notebook looks, True always, False never; a function gets the
            reports itself, and stops the work by raising.
    """
    if callable(watch):
        yield watch
        return
    if not (someone_looks() if watch is None else watch):
        yield lambda now: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=None, delay=DELAY, leave=False) as bar:

        def show(now: Progress) -> None:
            bar.total, bar.unit = now.total or None, f" {now.unit}"
            bar.set_description(now.stage or None, refresh=False)
            bar.update(now.done - bar.n)

        yield show


def outcome(steps: Iterator[Progress | T], watch: Watch) -> T:
    """Run a job to its end, reporting its progress; return what it yielded last besides reports."""
    results: list[T] = []
    with watching(watch) as report:
        for step in steps:
            if isinstance(step, Progress):
                report(step)
            else:
                results = [step]
    return results[0]


def someone_looks() -> bool:
    """Say whether stderr is a terminal, or this is a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return "IPKernelApp" in getattr(shell, "config", {}) or bool(sys.stderr and sys.stderr.isatty())
