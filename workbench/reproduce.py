"""Reproduce a zero-shot question: as a page address, a command line, or lines of Python.

A `Setup` holds settings only, never what a visitor uploaded.
"""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from workbench.errors import BadInput
from workbench.labels import check_labels, parse_labels
from workbench.models import find
from workbench.prompts import DEFAULT, ONE, check_templates, template_set

VERSION = "1"  # of the address; an unknown one is read as far as it is understood
OWN = "own"  # the template choice that means: the visitor's list


@dataclass(frozen=True)
class Setup:
    """The settings of one zero-shot question."""

    model: str = "pocket"
    labels: tuple[str, ...] = ()
    templates: str = ONE.key  # key of a template set, or "own"
    own: tuple[str, ...] = ()  # the visitor's templates; counts only where `templates` is "own"
    none_of_these: bool = False
    picture: str = ""  # key of a shipped picture; empty for an upload, whose name stays out

    @property
    def prompts(self) -> tuple[str, ...]:
        """The templates that this choice stands for.

        Raises:
            BadInput: an own list with nothing usable in it.
            UnknownName: no such template set.
        """
        return check_templates(self.own) if self.templates == OWN else template_set(self.templates).templates


def to_query(setup: Setup) -> str:
    """Return the settings as the query of a page address, without the question mark."""
    fields = {"v": VERSION, "model": setup.model, "labels": csv_row(setup.labels), "templates": setup.templates}
    if setup.templates == OWN:
        fields["own"] = "\n".join(setup.own)
    if setup.none_of_these:
        fields["none"] = "1"
    if setup.picture:
        fields["picture"] = setup.picture
    return urlencode(fields)


def from_query(
    query: Mapping[str, str], pictures: Mapping[str, object], *, default: Setup | None = None
) -> tuple[Setup, list[str]]:
    """Read settings from a page's query; an unusable value keeps its default and gives a notice.

    Args:
        query: names and values, already decoded; untrusted.
        pictures: the shipped pictures, by key.
        default: what holds where the query says nothing.

    Returns:
        Usable settings, and one sentence for each ignored value.
    """
    setup, notices = default or Setup(), []
    if query.get("v", VERSION) != VERSION:
        notices.append("This address comes from another version; unknown settings were ignored.")
    for name, read in _READERS.items():
        if name in query:
            try:
                setup = replace(setup, **read(query[name]))
            except BadInput as error:
                notices.append(f"“{name}” in the address was ignored. {error}")
    if setup.templates == OWN and not setup.own:
        setup = replace(setup, templates=ONE.key)
        notices.append("The address asks for its own templates but contains none; the default template is used.")
    if query.get("picture", "") in pictures:
        setup = replace(setup, picture=query["picture"])
    elif query.get("picture"):
        notices.append("The address names an example image that does not exist.")
    return setup, notices


_READERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "model": lambda text: {"model": _known_model(text)},
    "labels": lambda text: {"labels": check_labels(parse_labels(text))},
    "own": lambda text: {"own": check_templates(text.splitlines())},
    "templates": lambda text: {"templates": text if text == OWN else template_set(text).key},
    "none": lambda text: {"none_of_these": text == "1"},
}


def _known_model(key: str) -> str:
    """Accept catalogue keys only: an address must not make the server read its folders."""
    from workbench.checkpoints import checkpoints
    from workbench.errors import unknown_name

    keys = [row.key for row in checkpoints()]
    if key not in keys:
        raise unknown_name("model", key, keys)
    return find(key).key


def command_line(setup: Setup, picture: str, *, device: str = "auto", dtype: str = "auto") -> str:
    """Return the line for a POSIX shell that answers the same question.

    A shipped picture is first taken out of the package, as the file `picture`.
    """
    words = ["--labels", csv_row(setup.labels)]
    if setup.templates == OWN:
        for template in setup.prompts:
            words += ["--templates", template]
    else:
        words += ["--templates", setup.templates]
    words += ["--model", setup.model]
    if setup.none_of_these:
        words.append("--none-of-these")
    words += ["--device", device, "--dtype", dtype]
    line = f"clip-workbench classify {shlex.quote(picture)} {shlex.join(words)}"
    if not setup.picture:
        return line
    code = f'from workbench.pictures import sample; sample("{setup.picture}").save("{picture}")'
    return f"python -c {shlex.quote(code)} && {line}"


def python_lines(setup: Setup, picture: str, *, device: str = "auto", dtype: str = "auto") -> str:
    """Return lines of Python that give the same numbers; `answer.ranked()` holds them.

    A shipped picture is taken from the package; any other is the file `picture`.
    """
    source = f"wb.sample({setup.picture!r})" if setup.picture else repr(picture)
    templates = repr(setup.prompts if setup.templates == OWN else setup.templates)
    lines = [
        "import workbench as wb",
        "",
        f"model = wb.load({setup.model!r}, device={device!r}, dtype={dtype!r})",
        "answer = model.classify(",
        f"    {source},",
        f"    {list(setup.labels)!r},",
        *([f"    templates={templates},"] if setup.prompts != (DEFAULT,) else []),
        *(["    none_of_these=True,"] if setup.none_of_these else []),
        ")",
        "for label, probability, cosine in answer.ranked():",
        '    print(f"{label}\\t{probability:.6f}\\t{cosine:.6f}")',
    ]
    return "\n".join(lines)


def csv_row(values: tuple[str, ...]) -> str:
    """Return values as one CSV row, as `parse_labels` reads it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(values)
    return out.getvalue()
