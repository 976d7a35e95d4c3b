"""What the commands are given: files, folders and patterns; labels and templates, in words or in files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.errors import BadInput, unknown_name
from workbench.labels import check_labels, parse_labels
from workbench.prompts import DEFAULT, TEMPLATE_SETS, check_templates

MAX_LIST = 1_000_000  # bytes of a file of labels or templates


def read_labels(row: str | None, file: Path | None) -> tuple[str, ...]:
    """Return the labels of one CSV row, or of a file with one label a line.

    Raises:
        BadInput: neither or both are given, or there is no usable label.
    """
    if (row is None) == (file is None):
        got = "neither" if row is None else "both"
        raise BadInput(f"Give labels with --labels cat,dog,… or with --labels-file FILE (one a line); got {got}.")
    return parse_labels(row) if row is not None else check_labels(read_lines(file or Path()))


def read_templates(given: Sequence[str]) -> tuple[str, ...]:
    """Return the templates that names of sets, texts with `{}` and files (one a line) stand for, in the order given.

    Raises:
        BadInput: something that is none of the three, or a template without `{}`.
    """
    sets = {entry.key: entry.templates for entry in TEMPLATE_SETS}
    templates: list[str] = []
    for entry in given:
        if entry in sets:
            templates += sets[entry]
        elif "{}" in entry:
            templates.append(entry)
        elif Path(entry).is_file():
            templates += read_lines(Path(entry))
        else:
            raise unknown_name("template set", entry, (*sets, "a text with {}", "a file with one template a line"))
    return check_templates(templates or [DEFAULT])


def read_lines(file: Path) -> list[str]:
    """Return the lines of a small UTF-8 text file.

    Raises:
        BadInput: missing, over 1 MB, or not text.
    """
    try:
        if file.stat().st_size > MAX_LIST:
            raise BadInput(f"A list may have at most {MAX_LIST // 10**6} MB; {file.name!r} has more.")
        return file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise BadInput(f"A list is a UTF-8 text file with one entry a line; {file.name!r} is not.") from None
    except OSError as error:
        raise BadInput(f"The file {file.name!r} cannot be read ({error.strerror}).") from None
