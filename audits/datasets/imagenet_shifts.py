"""Read ImageNet and its natural shifts from folders: one folder a data set, one folder a class in it.

Knows no model. Classes are named as their folders say: by WordNet ids (n02084071), by places 0 to 999 as ImageNet-V2
has them, or by words. WordNet ids, and the 200 classes of ImageNet-A and -R, are read from timm's tables,
and the classes' names, which are those that CLIP's authors chose, from open_clip's.
"""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

from audits.datasets.rows import Row
from workbench.errors import BadInput

KNOWN = (  # folder names, which become the values of `style`
    "imagenet",
    "imagenet-v2",
    "imagenet-a",
    "imagenet-r",
    "imagenet-sketch",
    "objectnet",
    "imagenet-vid",
    "ytbb",
)
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
_WORDNET = re.compile(r"n\d{8}")


def shift_rows(folder: Path) -> list[Row]:
    """Return the rows of all pictures below a folder that holds `imagenet` (the base) and at least one shift.

    Args:
        folder: with folders named as in `KNOWN`; each holds one folder a class, and pictures in those. A frame of a
            video lies one folder deeper, in a folder of its anchor, and the anchor frame is the one that sorts first.

    Raises:
        BadInput: no base, no shift, no picture, or a class folder whose name says nothing.
    """
    found = [name for name in KNOWN if (folder / name).is_dir()]
    if "imagenet" not in found or len(found) < 2:
        raise BadInput(
            f"A folder of shifts holds 'imagenet' and one or more of {', '.join(KNOWN[1:])}; "
            f"{folder.name!r} holds: {', '.join(found) or 'none of them'}."
        )
    rows: list[Row] = []
    for style in found:
        for kind in sorted(path for path in (folder / style).iterdir() if path.is_dir()):
            rows += _pictures(folder, style, kind)
    if not rows:
        raise BadInput(f"No picture lies in the class folders of {folder.name!r}.")
    return rows


def class_name(folder: str) -> tuple[str, str]:
    """Return (name, WordNet id or nothing) of a class folder.

    Raises:
        BadInput: a WordNet id or place that ImageNet does not have.
    """
    names = _names()
    ids = list(names)
    if folder.isdecimal():
        if int(folder) >= len(ids):
            raise BadInput(f"ImageNet's classes are numbered 0 to {len(ids) - 1}; a folder is called {folder!r}.")
        return names[ids[int(folder)]], ids[int(folder)]
    if _WORDNET.fullmatch(folder):
        if folder not in names:
            raise BadInput(f"{folder!r} is none of ImageNet's 1,000 WordNet ids.")
        return names[folder], folder
    return re.sub(r"[_\s]+", " ", folder).strip().lower(), ""


def subset(name: str) -> tuple[str, ...]:
    """Return the WordNet ids of the 200 classes of ImageNet-A or ImageNet-R ("imagenet-a", "imagenet-r")."""
    return tuple(
        _info("timm", "data", "_info", f"{name.replace('-', '_')}_synsets.txt").read_text(encoding="utf-8").split()
    )


def _pictures(folder: Path, style: str, kind: Path) -> list[Row]:
    name, wordnet = class_name(kind.name)
    rows: list[Row] = []
    for path in sorted(kind.rglob("*")):
        if path.suffix.lower() not in _ENDINGS:
            continue
        video = path.parent != kind
        first = video and path == min(entry for entry in path.parent.iterdir() if entry.suffix.lower() in _ENDINGS)
        rows.append(
            {
                "path": path.relative_to(folder).as_posix(),
                "cluster": path.parent.relative_to(folder).as_posix() if video else "",
                "label": name,
                "frame": ("anchor" if first else "neighbour") if video else "",
                "style": style,
                "wordnet": wordnet,
            }
        )
    return rows


@functools.cache
def _names() -> dict[str, str]:
    """Return ImageNet's 1,000 WordNet ids in its own order, with the distinct names that CLIP's authors gave them."""
    ids = _info("timm", "data", "_info", "imagenet_synsets.txt").read_text(encoding="utf-8").split()
    source = ast.parse(_info("open_clip", "zero_shot_metadata.py").read_text(encoding="utf-8"))
    curated = next(
        ast.literal_eval(node.value)
        for node in source.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "IMAGENET_CLASSNAMES"
    )
    taken: set[str] = set()
    names = {}
    for one, name in zip(ids, curated, strict=True):  # a few classes share a name there
        names[one] = name if name not in taken else f"{name} ({one})"
        taken.add(name)
    return names


def _info(package: str, *parts: str) -> Path:
    """Return a file that a package carries, without importing the package."""
    from importlib.util import find_spec

    found = find_spec(package)
    path = Path(found.origin or "").parent.joinpath(*parts) if found else None
    if path is None or not path.is_file():
        raise BadInput(f"ImageNet's classes are read from the package {package}; its installation lacks {parts[-1]}.")
    return path
