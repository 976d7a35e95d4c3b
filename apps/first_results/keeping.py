"""What a view shows, kept for the next visitor: files are copied, states are copies, nothing is shared.

Ready-made results lie in `ready/`: a JSON file a view, with a folder of its files. They hold the fingerprint of the
model that gave them, and are not shown for another; `python -m apps.first_results` makes them.
"""

from __future__ import annotations

import copy
import functools
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from apps.shared.upload_folders import VARIABLE, folder_beside_uploads
from apps.shared.visitor_runs import RunList
from audits.run_directory import header, seal

READY = Path(__file__).with_name("ready")
Kept = dict[int, Any]  # place among the view's outputs -> what it shows
_FILE, _FIGURE, _RUNS = "$file", "$figure", "$runs"


def is_update(value: Any) -> bool:
    """Tell what `gr.update` returns from a value."""
    return isinstance(value, dict) and value.get("__type__") == "update"


def keep(shown: Mapping[Any, Any], outputs: Sequence[Any], place: Path | None = None) -> Kept:
    """Return a copy of what widgets show.

    Args:
        shown: widget -> value or update.
        outputs: all widgets, in their order.
        place: where files are copied to; None for a private folder that goes with the process.
    """
    place = place or Path(tempfile.mkdtemp(dir=_folder()))
    return {number: _packed(shown[one], place) for number, one in enumerate(outputs) if one in shown}


def put_back(kept: Kept, outputs: Sequence[Any]) -> dict[Any, Any]:
    """Return what widgets show again: widget -> value or update; files lie beside this visitor's uploads."""
    place: list[Path] = []

    def file_of(source: Path) -> str:
        if not place:
            place.append(folder_beside_uploads("first-"))
        target = place[0] / f"{len(list(place[0].iterdir()))}-{source.name}"
        shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)
        return str(target)

    return {outputs[number]: _unpacked(value, file_of) for number, value in kept.items()}


def write_ready(view: str, shown: Mapping[Any, Any], outputs: Sequence[Any]) -> Path:
    """Write a ready-made result of the shipped model; states that are no plain data are left out.

    Args:
        view: its key.
        shown: widget -> value or update.
        outputs: all widgets of the view's answer, in their order.
    """
    place = READY / view
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    kept = {number: value for number, value in keep(shown, outputs, place).items() if _is_plain(value)}
    for run in place.rglob(header.FILE):
        leave_machine_out(run.parent)
    held = {"model": _fingerprint(), "widgets": _names(outputs), "shown": kept}
    path = READY / f"{view}.json"
    path.write_text(json.dumps(held, separators=(",", ":")), encoding="utf-8")
    if not any(place.iterdir()):
        place.rmdir()
    return path


def leave_machine_out(run: Path) -> None:
    """Leave out of an example's run on which machine, and with which packages, it was made."""
    head = header.read(run)
    shown = head.provenance.model_copy(update={"git": {}, "packages": {}, "machine": {}, "argv": ()})
    seal.finish(run, head.model_copy(update={"provenance": shown}))


def ready_made(view: str, outputs: Sequence[Any]) -> Kept | None:
    """Return the ready-made result of a view; None where the shipped model or the view has changed."""
    path = READY / f"{view}.json"
    if not path.is_file():
        return None
    held = json.loads(path.read_text(encoding="utf-8"))
    if held["widgets"] != _names(outputs) or held["model"] != _fingerprint():
        return None
    return {int(number): value for number, value in held["shown"].items()}


def _fingerprint() -> str:
    from workbench.checkpoints.shipped import POCKET
    from workbench.loading import fingerprint

    return fingerprint(POCKET.key)


def _names(outputs: Sequence[Any]) -> list[str]:
    return [f"{type(one).__name__} {one.elem_id or ''}".strip() for one in outputs]


def _packed(value: Any, place: Path) -> Any:
    if isinstance(value, dict):
        return {name: _packed(one, place) for name, one in value.items()}
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return [_packed(one, place) for one in value]
    if isinstance(value, RunList):
        return {_RUNS: [_packed(one, place) for one in value.runs]}
    if isinstance(value, Image.Image | np.ndarray):
        return {_FILE: _saved(value, place)}
    if isinstance(value, str):
        return {_FILE: _copied(Path(value), place)} if _is_upload(value) else value
    if type(value).__module__.startswith("plotly."):
        return {_FIGURE: json.loads(value.to_json())}
    return value.item() if isinstance(value, np.generic) else copy.deepcopy(value)


def _unpacked(value: Any, file_of: Any) -> Any:
    if isinstance(value, dict) and _FILE in value:
        return file_of(READY / value[_FILE])  # an absolute path stays what it is
    if isinstance(value, dict) and _RUNS in value:
        return RunList(runs=tuple(file_of(READY / one[_FILE]) for one in value[_RUNS]))
    if isinstance(value, dict) and _FIGURE in value:
        import plotly.graph_objects as go

        return go.Figure(value[_FIGURE])
    if isinstance(value, dict):
        return {name: _unpacked(one, file_of) for name, one in value.items()}
    if isinstance(value, list):
        return [_unpacked(one, file_of) for one in value]
    return copy.deepcopy(value)


def _saved(image: Any, place: Path) -> str:
    path = place / f"{len(list(place.iterdir()))}.png"
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path)
    return _name(path)


def _copied(source: Path, place: Path) -> str:
    target = place / str(len(list(place.iterdir()))) / source.name
    target.parent.mkdir()
    shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)
    return _name(target)


def _name(path: Path) -> str:
    return str(path.relative_to(READY)) if READY in path.parents else str(path)


def _is_upload(text: str) -> bool:
    """Whether a text is the path of something that lies beside the uploads, where it would be deleted."""
    root = os.environ.get(VARIABLE, "")
    return bool(root) and text.startswith(root + os.sep) and Path(text).exists()


def _is_plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


@functools.cache
def _folder() -> str:
    import atexit

    folder = tempfile.mkdtemp(prefix="clip-workbench-first-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
