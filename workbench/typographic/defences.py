"""The table of defences: what each does, what it needs, and the edited model that it makes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.checkpoints.edit import Edit, is_edit, read_edit, write_edit
from workbench.errors import BadInput, Unsupported, unknown_name
from workbench.models import find
from workbench.places import home


@dataclass(frozen=True)
class Defence:
    """One row of the table."""

    title: str
    summary: str
    needs: str
    kind: str  # a name in `loading.edited.KINDS`
    quick: bool  # nothing is learned
    for_names: bool = False  # what is learned depends on the names that are asked


DEFENCES: Mapping[str, Defence] = {
    "paint-over": Defence(
        "Paint over text", "finds text in each image and paints it over", "nothing", "paint over", quick=True
    ),
    "prompts": Defence(
        "Prompts that name text", "averages each prompt with ones that mention a written label", "nothing", "prompts",
        quick=True,
    ),
    "prefix": Defence(
        "Learned prefix", "learns a token before each name that is asked (Defense-Prefix)",
        "a text tower with a table of tokens; one or two minutes of learning", "prefix", quick=False, for_names=True,
    ),
    "projection": Defence(
        "Forget to spell", "removes the directions along which words move images", "a minute of learning", "projection",
        quick=False,
    ),
    "units": Defence(
        "Reading units off", "switches off the units that push the written word most",
        "a convolutional tower; a minute of learning", "units", quick=False,
    ),
    "heads": Defence(
        "Reading heads off", "switches off the attention heads that look at a written word most (Dyslexify)",
        "a ViT with a class token; minutes of learning", "heads", quick=False,
    ),
}  # fmt: skip


def check_defence(key: str, base: str) -> Defence:
    """Return a defence that a model can have.

    Raises:
        UnknownName: no such defence or model.
        Unsupported: a defended model, or one whose text tower is not open to the defence.
    """
    if key not in DEFENCES:
        raise unknown_name("defence", key, DEFENCES)
    spec = find(base)
    if spec.loader == "edited" and spec.folder is not None and read_edit(spec.folder).kind == DEFENCES[key].kind:
        raise Unsupported(f"{spec.title} has this defence already.")
    return DEFENCES[key]


def settings_of(key: str, base: str, *, finder: str = "") -> dict[str, Any]:
    """Return the settings of a defence that needs no learning.

    Raises:
        BadInput: a finder for a defence that finds no text.
        UnknownName: no such finder.
    """
    if key != "paint-over":
        if finder:
            raise BadInput(f"A text finder belongs to paint-over; got {finder!r} for {key}.")
        return {}
    if finder:
        from workbench.typographic.finding import FINDERS

        if finder not in FINDERS:
            raise unknown_name("text finder", finder, FINDERS)
    root = find(base)
    while root.base:
        root = find(root.base)
    return {"finder": finder or ("marks" if root.loader == "fake" else "own")}


def applied(key: str, base: str) -> Path:
    """Write a defence that needs no learning among the edited models of this machine; return its folder.

    The folder's name comes from its content, so that a second click writes nothing new.

    Raises:
        UnknownName, Unsupported, OutOfResources: see `check_defence` and `write_edit`.
    """
    defence = check_defence(key, base)
    edit = Edit(base=base, kind=defence.kind, settings=settings_of(key, base), title=defence.title)
    name = f"{key}-{hashlib.sha256(edit.model_dump_json().encode()).hexdigest()[:12]}"
    folder = home() / "edits" / name
    return folder if is_edit(folder) else write_edit(folder, edit)
