"""A progress bar on stderr, with pictures a second and time left.

Knows no command.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from audits.running.jobs import Job
from audits.shell._output import printable
from workbench import progress


class Bar:
    """A progress bar on stderr for one job after the other, with pictures a second and time left."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._job: Job | None = None
        self._task: TaskID | None = None

    def __call__(self, job: Job, now: progress.Progress) -> None:
        """Show how far a job is."""
        if self._task is None or job is not self._job:
            if self._task is not None:
                self._bars.remove_task(self._task)
            self._job, self._task = job, self._bars.add_task(printable(job.name), total=None, told="")
        told = now.stage
        if now.rate:
            told += f"  {now.rate:.0f} pictures/s"
        if now.seconds_left is not None:
            told += f"  {now.seconds_left // 60:.0f}:{now.seconds_left % 60:02.0f} left"
        self._bars.update(self._task, completed=now.done, total=now.total or None, told=told)


@contextmanager
def bar() -> Iterator[Bar]:
    """Give a progress bar; it shows nothing where stderr is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        yield Bar(bars)
