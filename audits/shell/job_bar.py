"""A progress bar for audit jobs, with images per second and time left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from workbench import progress as reports
from workbench.cli.interrupt import remember_ctrl_c
from workbench.cli.output import printable
from workbench.cli.progress import progress

if TYPE_CHECKING:
    from audits.running.jobs import AuditJob


class JobBar:
    """A progress bar for one job after the other, with images per second and time left."""

    def __init__(self, progress: Progress, pressed: threading.Event) -> None:
        self._progress, self._pressed = progress, pressed
        self._job: AuditJob | None = None
        self._task: TaskID | None = None

    def __call__(self, job: AuditJob, now: reports.Progress) -> None:
        """Show how far a job is; the place where a Ctrl-C that got lost is raised again."""
        if self._pressed.is_set():
            raise KeyboardInterrupt
        if self._task is None or job is not self._job:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._job, self._task = job, self._progress.add_task(printable(job.name), total=None, text="")
        text = f"{now.stage}  {now.line}" if now.total else now.stage
        self._progress.update(self._task, completed=now.done, total=now.total or None, text=text)


@contextmanager
def job_bar() -> Iterator[JobBar]:
    """Give a progress bar for jobs."""
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}")
    with remember_ctrl_c() as pressed, progress(*columns) as shown:
        yield JobBar(shown, pressed)
