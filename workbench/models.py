"""What a checkpoint is, and how one is found by its key; the rows themselves stand in `checkpoints`.

Knows nothing of files or devices: a row is what was published about a model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from workbench.errors import BadInput, unknown_name

Library = Literal["transformers", "open_clip", "fake"]
Score = Literal["softmax", "sigmoid"]


@dataclass(frozen=True)
class ModelSpec:
    """One checkpoint; None means: not known here."""

    key: str  # what `--model` takes
    title: str  # what a screen shows
    library: Library
    repo: str | None = None  # repository on the Hugging Face Hub; None for what is shipped or local
    revision: str | None = None  # the commit that holds safetensors
    architecture: str | None = None  # open_clip's name, with -quickgelu where the weights need it
    folder: Path | None = None  # where a local or shipped checkpoint lies
    licence: str | None = None
    paper: str | None = None
    trained_on: str | None = None
    parameters: int | None = None  # both towers
    download_bytes: int | None = None
    image_size: int | None = None  # side of the square, pixels
    context_length: int | None = None  # tokens
    dim: int | None = None  # width of the joint space
    score: Score = "softmax"
    english_only: bool = True
    sha256: dict[str, str] = field(default_factory=dict)  # file name -> hash; empty until the first download
    note: str = ""


def find(key: str) -> ModelSpec:
    """Return the row for a key, or one made for a local folder (`folder:PATH`, or a path that holds a config).

    Raises:
        UnknownName: no row has that key.
        BadInput: the folder holds no checkpoint.
    """
    from workbench.checkpoints import CHECKPOINTS

    rows = {row.key: row for row in CHECKPOINTS}
    if key in rows:
        return rows[key]
    path = Path(key.removeprefix("folder:")).expanduser()
    if key.startswith("folder:") or path.is_dir():
        return folder_spec(path)
    raise unknown_name("model", key, rows)


def folder_spec(path: Path) -> ModelSpec:
    """Return a row for a local folder in the hub's format.

    Raises:
        BadInput: neither `config.json` nor `open_clip_config.json` is there.
    """
    if (path / "open_clip_config.json").is_file():
        library: Library = "open_clip"
    elif (path / "config.json").is_file():
        library = "transformers"
    else:
        raise BadInput(
            f"A model folder holds config.json (transformers) or open_clip_config.json (open_clip) "
            f"beside its safetensors; {path.name!r} holds neither."
        )
    return ModelSpec(key=f"folder:{path}", title=path.name, library=library, folder=path)
