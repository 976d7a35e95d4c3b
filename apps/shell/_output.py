"""What the commands write: data to stdout, everything else to stderr, and nothing that could steer a terminal.

Knows no command. Rich leaves colour out by itself where the output is no terminal or NO_COLOR is set.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from apps.shell._interrupt import reading


def say(text: str) -> None:
    """Write a line for the reader to stderr; it is no part of the result."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(printable(text)))


def complain(text: str) -> None:
    """Write an error to stderr, in one line."""
    line = Text.assemble(("clip-workbench: ", "bold red"), " ".join(printable(text).split()))
    Console(stderr=True, highlight=False, soft_wrap=True).print(line)


def write(text: str | Text) -> None:
    """Write a line of the result to stdout, at once."""
    console = Console(highlight=False, soft_wrap=True)
    with console.capture() as rendered:  # Rich would leave by itself, with a code of its own, at a closed pipe
        console.print(text if isinstance(text, Text) else Text(text))
    with reading():
        sys.stdout.write(rendered.get())
        sys.stdout.flush()


def write_json(value: Any) -> None:
    """Write one JSON document to stdout."""
    with reading():
        sys.stdout.write(to_json(value) + "\n")
        sys.stdout.flush()


def to_json(value: Any) -> str:
    """Return JSON in ASCII, which every terminal and every locale carries; NaN is refused, since JSON has none."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False)


def printable(text: str) -> str:
    """Replace control characters, so that a file name cannot move the cursor or colour the screen."""
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in text
    )


def progress(*columns: Any) -> Progress:
    """Return a progress display on stderr; it shows nothing where stderr is no terminal."""
    console = Console(stderr=True)
    return Progress(
        *columns or Progress.get_default_columns(), console=console, transient=True, disable=not console.is_terminal
    )
