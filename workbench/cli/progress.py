"""A progress bar on stderr, and one that Ctrl-C stops."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import Progress

from workbench import progress as reports
from workbench.cli.interrupt import stop_on_ctrl_c
from workbench.cli.output import printable
from workbench.errors import Cancelled


def progress(*columns: Any) -> Progress:
    """Return a progress display on stderr; it shows nothing where stderr is no terminal.

    Results that go to a file or a pipe are left alone: Rich would lead them to its own console.
    """
    console = Console(stderr=True)
    return Progress(
        *columns or Progress.get_default_columns(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),
    )


@contextmanager
def watched(stopped: str) -> Iterator[Callable[[reports.Progress], None]]:
    """Give a function that shows how far a job is; after Ctrl-C it raises Cancelled with this message."""
    with stop_on_ctrl_c() as stop, progress() as bar:
        task = bar.add_task("", total=None)

        def show(now: reports.Progress) -> None:
            if stop.is_set():
                raise Cancelled(stopped)
            text = f"{now.stage}: {now.line}" if now.stage else now.line
            bar.update(task, completed=now.done, total=now.total or None, description=printable(text))

        yield show
