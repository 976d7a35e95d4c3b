"""What all commands write: data to stdout, everything else to stderr, and nothing that could steer a terminal.

Rich leaves colour out by itself where the output is no terminal or NO_COLOR is set.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from workbench.cli.interrupt import reading
from workbench.strict_json import strict_json


def say(text: str) -> None:
    """Write a line for the reader to stderr; it is no part of the result."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(printable(text)))


def complain(text: str) -> None:
    """Write an error to stderr, in one line."""
    line = Text.assemble(("clip-workbench: ", "bold red"), " ".join(printable(text).split()))
    Console(stderr=True, highlight=False, soft_wrap=True).print(line)


def write(text: str | Text) -> None:
    """Write a line of the result to stdout, at once; a Text keeps its style."""
    console = Console(highlight=False, soft_wrap=True)
    with console.capture() as rendered:  # Rich would leave by itself, with a code of its own, at a closed pipe
        console.print(text if isinstance(text, Text) else Text(printable(text)))
    _stdout(rendered.get())


def write_json(value: Any) -> None:
    """Write one JSON document to stdout."""
    _stdout(strict_json(value) + "\n")


def write_result(value: Any, *lines: str, as_json: bool) -> None:
    """Write a result to stdout: as one JSON document, or as lines of text."""
    if as_json:
        write_json(value)
    else:
        for line in lines:
            write(line)


def write_rows(columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Write a table with a header and aligned columns to stdout; the columns in `right` end at one edge."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(str(value))) for value in row))
    console = Console(highlight=False, soft_wrap=True, width=10_000)
    with console.capture() as rendered:
        console.print(table)
    _stdout("\n".join(line.rstrip() for line in rendered.get().splitlines()) + "\n")


def printable(text: str) -> str:
    """Replace control characters, so that a name cannot move the cursor or colour the screen."""
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in text
    )


def _stdout(text: str) -> None:
    with reading():
        sys.stdout.write(text)
        sys.stdout.flush()
