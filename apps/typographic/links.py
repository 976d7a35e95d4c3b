"""The settings of words on an image as a page address, a command line and lines of Python."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from apps.typographic.form import MOST, WrittenForm
from workbench.errors import BadInput
from workbench.labels import check_labels
from workbench.reproduce import csv_row
from workbench.typographic.lettering import Label
from workbench.typographic.writing import checked

MAX_QUERY = 4000  # characters of a link's settings
NAME = "written"  # of the address's parameter


def to_link(form: WrittenForm) -> str:
    """Return the settings as JSON for the page's address; an upload is never part of it."""
    plain = asdict(Label("x"))
    rows = [{key: value for key, value in asdict(one).items() if value != plain[key]} for one in form.labels]
    settings: dict[str, Any] = {"labels": rows, "names": list(form.names), "picture": form.picture, "model": form.model}
    return json.dumps(settings, separators=(",", ":"), ensure_ascii=False)


def from_link(text: str, models: Sequence[str], pictures: Sequence[str]) -> WrittenForm:
    """Read the settings of an address; untrusted.

    Raises:
        BadInput: nothing usable in it.
    """
    try:
        given = json.loads(text[:MAX_QUERY])
        rows = [checked(Label(**row)) for row in given["labels"]]
        names = check_labels([str(name) for name in given["names"]])
        picture, model = str(given.get("picture", "")), str(given.get("model", "pocket"))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise BadInput("The address holds no words on an image that this page can read.") from None
    if not 0 < len(rows) <= MOST:
        raise BadInput(f"An address holds 1 to {MOST} labels; got {len(rows)}.")
    known = picture if picture in pictures else ""
    return WrittenForm(tuple(rows), names, known, model if model in models else "pocket")


def command_line(form: WrittenForm, image: str) -> str:
    """Return the shell command that gives the same numbers; of several labels, for the first."""
    words = ["clip-workbench", "attack", image, "--labels", csv_row(form.names), "--model", form.model]
    for name, value in asdict(form.labels[0]).items():
        if name == "text":
            words += ["--word", value]
        elif value != getattr(Label("x"), name):
            words += [f"--{name}", str(value)]
    return shlex.join(words)


def python_lines(form: WrittenForm, image: str) -> str:
    """Return lines of Python that give the same numbers."""
    source = f"example({form.picture!r})" if form.picture else f"safe_open({image!r})"
    where = "workbench.typographic.examples import example" if form.picture else "workbench.images import safe_open"
    labels = ",\n    ".join(repr(label) for label in form.labels)
    return "\n".join(
        [
            "from workbench.loading import load",
            f"from {where}",
            "from workbench.typographic.comparing import compare",
            "from workbench.typographic.lettering import Label",
            "",
            f"labels = [\n    {labels},\n]",
            f"result = compare(load({form.model!r}), {source}, labels, names={list(form.names)!r})",
            "for row, image in enumerate(('clean', 'written on')):",
            "    print(image, result.answers.ranked(row))",
        ]
    )
