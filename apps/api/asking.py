"""What an endpoint is given: who asks, models, uploads, folders that the owner allows, and what earlier calls left.

An answer names what it left here (an index, a run) by a word that nobody guesses; it is deleted with the uploads.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from apps import limits
from workbench.errors import BadInput, unknown_name
from workbench.places import home
from workbench.progress import Progress

if TYPE_CHECKING:
    from workbench.datasets import Listing
    from workbench.engine import Engine, Session
    from workbench.model_cache import ModelRef
    from workbench.probes.labelled import LabelledImages

FOLDERS = "CLIP_WORKBENCH_FOLDERS"  # of the environment: folders that `serve --folder` names
FILE = "file"  # marks a parameter as a file, or a list of files, that was uploaded
MOST_IMAGES = 2000  # of a zip of labelled images

Steps: TypeAlias = Iterator[Progress | Mapping[str, Any]]  # progress, and the answer at the end
Image: TypeAlias = Annotated[str, "a PNG, JPEG or WebP file", FILE]
Images: TypeAlias = Annotated[list[str], "PNG, JPEG or WebP files, or one zip", FILE]
Zip: TypeAlias = Annotated[
    str, "a zip of class folders, with train/ and test/ above them where both are given; none: drawings", FILE
]
Folder: TypeAlias = Annotated[str, "in place of uploads: a folder of the server that `serve --folder` allows"]
Labels: TypeAlias = Annotated[list[str], "1 to 256 labels to choose from"]
Model: TypeAlias = Annotated[str, "key of a model; empty for the server's default"]
Models: TypeAlias = Annotated[list[str], "keys of models; none for the server's default"]
Seed: TypeAlias = Annotated[int, "of all randomness, from 0"]
Templates: TypeAlias = Annotated[
    str, "key of a template set (none, one, seven, eighty), or templates with {}, one a line"
]


@dataclass(frozen=True)
class Ask:
    """One call of one visitor."""

    engine: Engine
    visitor: str  # owner id

    def session(
        self, model: str = "", kind: str = "answer", *, others: Sequence[str | ModelRef] = ()
    ) -> AbstractContextManager[Session]:
        """Open a session with a model, with the deadline of a kind of job.

        Raises:
            UnknownName: see `model`.
        """
        return self.engine.session(self.visitor, self.model(model), others=others, deadline=seconds(kind))

    def model(self, key: str) -> str:
        """Return the key of a model: of the catalogue, an edited model of this server, or one in an allowed folder.

        Raises:
            UnknownName: anything else.
        """
        from workbench.checkpoints import MODELS, checkpoints

        if not key:
            return self.engine.default
        if key in [row.key for row in checkpoints()] or _inside(key.removeprefix("folder:"), home() / "edits"):
            return key
        raise MODELS.unknown("model", key, [row.key for row in checkpoints()])

    def labelled(self, photos: str, folder: str, seed: int, *, complete: bool = True) -> LabelledImages:
        """Return labelled images of a zip or of an allowed folder; drawings where neither is given.

        Raises:
            BadInput: both, or images that cannot be used.
        """
        from workbench.probes.labelled import labelled, read_labelled

        if folder:
            return read_labelled(str(allowed(folder, photos)), seed=seed, complete=complete)
        return labelled(_listing(photos), seed=seed, complete=complete)


def seconds(kind: str) -> float:
    """Return the deadline of a kind of job, as `limits` has it."""
    return float(getattr(limits.current(), f"{kind}_seconds"))


def _listing(photos: str) -> Listing:
    from apps.shared.labelled_images import given

    return given([(photos, photos)] if photos else None)


def allowed(folder: str, *uploads: object) -> Path:
    """Return a folder of the server that its owner allows.

    Raises:
        BadInput: it is none, or something was uploaded as well.
    """
    if any(uploads):
        raise BadInput("Give uploads or a folder of the server; got both.")
    if not _inside(folder):
        raise BadInput(f"The server's owner allows no folder {folder[:200]!r}; `serve --folder FOLDER` does.")
    return Path(folder).expanduser().resolve()


def _inside(path: str, *more: Path) -> bool:
    """Whether a path lies in a folder that the owner allows, or in one of `more`, wherever links lead."""
    folders = [Path(one) for one in os.environ.get(FOLDERS, "").split(os.pathsep) if one]
    try:
        whole = Path(path).expanduser().resolve()
        return any(whole.is_relative_to(one.expanduser().resolve()) for one in (*folders, *more))
    except (OSError, RuntimeError, ValueError):
        return False


def uploaded(value: Any) -> str:
    """Return the path of an upload: as `/upload` answered it, or as gradio's clients send it.

    Raises:
        BadInput: another path; no file.
    """
    from gradio.utils import get_upload_folder

    path = value.get("path") if isinstance(value, Mapping) else value
    if isinstance(path, str) and path and "\0" not in path:
        whole = Path(path).resolve()
        if whole.is_relative_to(Path(get_upload_folder()).resolve()) and whole.is_file():
            return str(whole)
    raise BadInput(f"Upload the file first, and give the path that /gradio_api/upload answers; got {str(path)[:80]!r}.")


def new_place(kind: str) -> Path:
    """Make a folder beside the uploads whose name is known to whoever gets it, and to nobody else."""
    from apps.shared.upload_folders import folder_beside_uploads

    return folder_beside_uploads(f"{kind}-{secrets.token_hex(12)}-")


def place_of(name: str, kind: str) -> Path:
    """Return what an earlier call left under a name, or a place in a folder that the owner allows.

    Raises:
        UnknownName: it was deleted, or never there.
    """
    from gradio.utils import get_upload_folder

    if re.fullmatch(rf"{kind}-[0-9a-f]{{24}}-\w+(/[\w.+-]+)?", name, re.ASCII):
        place = Path(get_upload_folder()) / name
        if place.is_dir() and ".." not in name:
            return place
    elif _inside(name) and Path(name).is_dir():
        return Path(name)
    raise unknown_name(kind, name, [f"what an earlier call answered as {kind!r}, within the last hour"])
