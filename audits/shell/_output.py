"""What the commands write: data to stdout, everything else to stderr, and nothing that could steer a terminal.

Knows no command.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from audits.run_directory.files import plain


def say(text: str) -> None:
    """Write a line for the reader to stderr; it is no part of the result."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(printable(text)))


def complain(text: str) -> None:
    """Write an error to stderr, in one line."""
    line = Text.assemble(("audits: ", "bold red"), " ".join(printable(text).split()))
    Console(stderr=True, highlight=False, soft_wrap=True).print(line)


def write(text: str) -> None:
    """Write a line of the result to stdout."""
    _stdout(printable(text) + "\n")


def write_json(value: Any) -> None:
    """Write one JSON document to stdout: ASCII, and null for what is no number."""
    _stdout(json.dumps(plain(value), ensure_ascii=True, allow_nan=False) + "\n")


def write_rows(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table to stdout."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(printable(str(value))) for value in row))
    console = Console(highlight=False, soft_wrap=True)
    with console.capture() as rendered:
        console.print(table)
    _stdout("\n".join(line.rstrip() for line in rendered.get().splitlines()) + "\n")


def printable(text: str) -> str:
    """Replace control characters, so that a name cannot move the cursor or colour the screen."""
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in text
    )


def _stdout(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(130) from None
