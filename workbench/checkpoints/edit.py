"""An edited model as a folder: `edit.json` names its base and what is changed, `edit.safetensors` holds tensors.

The weights of the base stay where they are.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from workbench.errors import BadInput, OutOfResources
from workbench.strict import Strict, reason

if TYPE_CHECKING:
    from torch import Tensor

SETTINGS, TENSORS = "edit.json", "edit.safetensors"
MAX_BYTES = 1_000_000  # of edit.json
DEEPEST = 4  # edits of edits


class Edit(Strict):
    """What `edit.json` holds."""

    base: str = Field(min_length=1, max_length=4096)  # a key of the catalogue, or a folder
    kind: str = Field(min_length=1, max_length=40)  # a name in `loading.edited.KINDS`
    settings: dict[str, Any] = Field(default_factory=dict)  # of that kind
    title: str = Field("", max_length=120)  # what a screen shows behind the base's title; empty for the kind


def is_edit(folder: Path) -> bool:
    """Say whether a folder holds an edited model."""
    return (folder / SETTINGS).is_file()


def read_edit(folder: Path) -> Edit:
    """Read `edit.json`; a relative base folder is taken from where the edit lies.

    Raises:
        BadInput: missing, damaged, or with other fields than `Edit`.
    """
    file = folder / SETTINGS
    try:
        if file.stat().st_size > MAX_BYTES:
            raise BadInput(f"{SETTINGS} of {folder.name!r} has more than {MAX_BYTES // 10**6} MB.")
        edit = Edit.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{SETTINGS} of {folder.name!r} cannot be read ({type(error).__name__}).") from None
    except ValidationError as error:
        raise BadInput(f"{SETTINGS} of {folder.name!r} cannot be used: {reason(error, SETTINGS)}.") from None
    inside = folder / edit.base.removeprefix("folder:")
    return edit.model_copy(update={"base": f"folder:{inside}"}) if inside.is_dir() else edit


def check_place(folder: Path) -> None:
    """Refuse a folder that an edited model must not be written to, before anything is computed.

    Raises:
        BadInput: it holds something else, or is a file.
    """
    if folder.exists() and not is_edit(folder) and (not folder.is_dir() or any(folder.iterdir())):
        what = "holds other files" if folder.is_dir() else "is a file"
        raise BadInput(f"An edited model needs a folder of its own; {folder.name!r} {what}.")


def write_edit(folder: Path, edit: Edit, tensors: Mapping[str, Tensor] | None = None) -> Path:
    """Write an edited model, complete or not at all; an edit that is there already is replaced. Returns the folder.

    Raises:
        BadInput: the folder holds something else.
        OutOfResources: it cannot be written.
    """
    check_place(folder)
    base = Path(edit.base.removeprefix("folder:")).expanduser()
    if base.is_dir():
        edit = edit.model_copy(update={"base": f"folder:{base.resolve()}"})
    half = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        half.mkdir(parents=True)
        text = json.dumps(edit.model_dump(), indent=1, sort_keys=True, ensure_ascii=False)
        (half / SETTINGS).write_text(text + "\n", encoding="utf-8")
        if tensors:
            from safetensors.torch import save_file

            save_file({name: one.detach().cpu().contiguous() for name, one in tensors.items()}, half / TENSORS)
        if folder.is_dir():
            shutil.rmtree(folder)
        os.replace(half, folder)
    except OSError as error:
        raise OutOfResources(f"The folder {folder.name!r} could not be written ({error.strerror}).") from None
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return folder
