"""What a checkpoint is, and how one is found by its key; the rows themselves stand in `checkpoints`.

A row is what was published about a model.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.checkpoints import MODELS, checkpoints
from workbench.checkpoints.edit import DEEPEST, is_edit, read_edit
from workbench.checkpoints.spec import Loader, ModelSpec
from workbench.errors import BadInput


def find(key: str) -> ModelSpec:
    """Return the row for a key, or one made for a local folder (`folder:PATH`, or a path that holds a config).

    Raises:
        UnknownName: no row has that key.
        BadInput: the folder holds no checkpoint.
    """
    row = MODELS.get(key)
    if isinstance(row, ModelSpec):
        return row
    path = _folder(key)
    if path is None:
        raise MODELS.unknown("model", key, [one.key for one in checkpoints()])
    return folder_spec(path)


def folder_spec(path: Path) -> ModelSpec:
    """Return a row for a local folder: an edited model, or a checkpoint in the hub's format.

    Of what a checkpoint was made from, nothing is known here; an edited model has the row of its base.

    Raises:
        BadInput: none of `edit.json`, `config.json` and `open_clip_config.json` is there, or one that cannot be read.
        UnknownName: the base of an edited model is unknown.
    """
    if is_edit(path):
        return _edited_spec(path, 1)
    if (path / "open_clip_config.json").is_file():
        loader: Loader = "open_clip"
        sigmoid = "init_logit_bias" in (_settings(path / "open_clip_config.json").get("model_cfg") or {})
    elif (path / "config.json").is_file():
        loader = "transformers"
        family = MODELS.get(str(_settings(path / "config.json").get("model_type")))
        sigmoid = family is not None and family.score == "sigmoid"
    else:
        raise BadInput(
            f"A model folder holds config.json (transformers) or open_clip_config.json (open_clip) "
            f"beside its safetensors, or edit.json; {path.name!r} holds none of them."
        )
    return ModelSpec(
        key=f"folder:{path}",
        title=path.resolve().name,
        loader=loader,
        folder=path,
        score="sigmoid" if sigmoid else "softmax",
        english_only=False,  # which languages it was taught is not known, so its texts stay as they are
    )


def _edited_spec(path: Path, depth: int) -> ModelSpec:
    if depth > DEEPEST:
        raise BadInput(f"Edits of edits may be {DEEPEST} deep; {path.name!r} lies deeper, or is its own base.")
    edit = read_edit(path)
    folder = _folder(edit.base)
    deeper = folder is not None and is_edit(folder)
    base = _edited_spec(folder, depth + 1) if folder is not None and deeper else find(edit.base)
    return replace(
        base,
        key=f"folder:{path}",
        title=f"{base.title}, {edit.title or edit.kind}",
        loader="edited",
        folder=path,
        repo=None,
        revision=None,
        sha256={},
        note=f"Edited: {edit.title or edit.kind}. {base.note}".strip(),
        base=base.key,
    )


def _folder(key: str) -> Path | None:
    """Return the folder that a key names, or None where it cannot name one."""
    try:
        path = Path(key.removeprefix("folder:")).expanduser()
        return path if key.startswith("folder:") or path.is_dir() else None
    except (OSError, ValueError, RuntimeError):  # a name that no file system takes, a home of nobody
        return None


def _settings(file: Path) -> dict[str, Any]:
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"The file {file.name} of the model folder cannot be read: {str(error)[:200]}") from None
    if not isinstance(settings, dict):
        raise BadInput(f"The file {file.name} of the model folder holds no settings.")
    return settings
