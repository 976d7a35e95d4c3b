"""What a checkpoint is, and how one is found by its key; the rows themselves stand in `checkpoints`.

A row is what was published about a model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workbench.checkpoints import CHECKPOINTS
from workbench.checkpoints.spec import Loader, ModelSpec
from workbench.errors import BadInput, unknown_name


def find(key: str) -> ModelSpec:
    """Return the row for a key, or one made for a local folder (`folder:PATH`, or a path that holds a config).

    Raises:
        UnknownName: no row has that key.
        BadInput: the folder holds no checkpoint.
    """
    rows = {row.key: row for row in CHECKPOINTS}
    if key in rows:
        return rows[key]
    path = _folder(key)
    if path is None:
        raise unknown_name("model", key, rows)
    return folder_spec(path)


def folder_spec(path: Path) -> ModelSpec:
    """Return a row for a local folder in the hub's format; of what it was made from, nothing is known here.

    Raises:
        BadInput: neither `config.json` nor `open_clip_config.json` is there, or one that cannot be read.
    """
    if (path / "open_clip_config.json").is_file():
        loader: Loader = "open_clip"
        sigmoid = "init_logit_bias" in (_settings(path / "open_clip_config.json").get("model_cfg") or {})
    elif (path / "config.json").is_file():
        loader = "transformers"
        sigmoid = _settings(path / "config.json").get("model_type") in ("siglip", "siglip2")
    else:
        raise BadInput(
            f"A model folder holds config.json (transformers) or open_clip_config.json (open_clip) "
            f"beside its safetensors; {path.name!r} holds neither."
        )
    return ModelSpec(
        key=f"folder:{path}",
        title=path.resolve().name,
        loader=loader,
        folder=path,
        score="sigmoid" if sigmoid else "softmax",
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
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"The file {file.name} of the model folder cannot be read: {str(error)[:200]}") from None
    if not isinstance(found, dict):
        raise BadInput(f"The file {file.name} of the model folder holds no settings.")
    return found
