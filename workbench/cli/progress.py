"""A progress bar on stderr."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.progress import Progress


def progress(*columns: Any) -> Progress:
    """Return a progress display on stderr; it shows nothing where stderr is no terminal."""
    console = Console(stderr=True)
    return Progress(
        *columns or Progress.get_default_columns(), console=console, transient=True, disable=not console.is_terminal
    )
