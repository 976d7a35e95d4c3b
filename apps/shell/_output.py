"""What the commands write: data to stdout, everything else to stderr, and nothing that could steer a terminal.

Knows no command. Rich leaves colour out by itself where the output is no terminal or NO_COLOR is set.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

INTERRUPTED = 130


def say(text: str) -> None:
    """Write a line for the reader to stderr; it is no part of the result."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(printable(text)))


def complain(text: str) -> None:
    """Write an error to stderr, in one line."""
    line = Text.assemble(("clip-workbench: ", "bold red"), " ".join(printable(text).split()))
    Console(stderr=True, highlight=False, soft_wrap=True).print(line)


def write(text: str | Text) -> None:
    """Write a line of the result to stdout, at once."""
    with reading():
        line = text if isinstance(text, Text) else Text(text)
        Console(highlight=False, soft_wrap=True).print(line)
        sys.stdout.flush()


def write_json(value: Any) -> None:
    """Write one JSON document to stdout."""
    with reading():
        sys.stdout.write(to_json(value) + "\n")
        sys.stdout.flush()


def to_json(value: Any) -> str:
    """Return JSON in ASCII, which every terminal and every locale carries; NaN is refused, since JSON has none."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False)


@contextmanager
def reading() -> Iterator[None]:
    """Leave quietly when the reader of stdout has left, as `head` does."""
    try:
        yield
    except BrokenPipeError:
        # the interpreter flushes stdout once more when it ends: give it a place where that cannot fail
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(INTERRUPTED) from None


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
