"""Read ImageNet and its natural shifts from folders: one folder a data set, one folder a class in it.

Class folders are named by WordNet ids (n02084071), by numbers 0 to 999 as in ImageNet-V2, or by words. WordNet ids
come from timm's table; the class names, by CLIP's authors, from open_clip's.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from audits.datasets.rows import Row
from workbench.datasets.folders import image_names
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
_WORDNET = re.compile(r"n\d{8}")


def shift_rows(folder: Path) -> list[Row]:
    """Return the rows of all images below a folder that holds `imagenet` (the base) and at least one shift.

    Args:
        folder: with folders named as in `KNOWN`; each holds one folder a class with its images. Frames of a video
            are one folder deeper, in a folder of their own; the frame that sorts first is the anchor.

    Raises:
        BadInput: no base, no shift, no image, or a class folder with an unknown id.
    """
    styles = [name for name in KNOWN if (folder / name).is_dir()]
    if "imagenet" not in styles or len(styles) < 2:
        raise BadInput(
            f"A folder of shifts holds 'imagenet' and one or more of {', '.join(KNOWN[1:])}; "
            f"{folder.name!r} holds: {', '.join(styles) or 'none of them'}."
        )
    rows: list[Row] = []
    for style in styles:
        rows += _rows(folder, style)
    if not rows:
        raise BadInput(f"The class folders of {folder.name!r} hold no image.")
    return rows


def class_name(folder: str) -> tuple[str, str]:
    """Return (name, WordNet id or "") of a class folder.

    Raises:
        BadInput: a WordNet id or number that ImageNet does not have.
    """
    names = _names()
    ids = list(names)
    if folder.isdecimal():
        if int(folder) >= len(ids):
            raise BadInput(f"ImageNet's classes are numbered 0 to {len(ids) - 1}; got the folder {folder!r}.")
        return names[ids[int(folder)]], ids[int(folder)]
    if _WORDNET.fullmatch(folder):
        if folder not in names:
            raise BadInput(f"{folder!r} is none of ImageNet's 1,000 WordNet ids.")
        return names[folder], folder
    return re.sub(r"[_\s]+", " ", folder).strip().lower(), ""


def _rows(folder: Path, style: str) -> Iterator[Row]:
    anchored: set[str] = set()  # folders of videos whose first frame was seen
    for name in image_names(folder / style):
        path = PurePosixPath(style, name)
        if len(path.parts) < 3:  # loose, in no class folder
            continue
        label, wordnet = class_name(path.parts[1])
        video = str(path.parent) if len(path.parts) > 3 else ""
        frame = ("neighbour" if video in anchored else "anchor") if video else ""
        anchored.add(video)
        yield {"path": str(path), "cluster": video, "label": label, "frame": frame, "style": style, "wordnet": wordnet}


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
    used: set[str] = set()
    names = {}
    for one, name in zip(ids, curated, strict=True):  # a few classes share a name there
        names[one] = name if name not in used else f"{name} ({one})"
        used.add(name)
    return names


def _info(package: str, *parts: str) -> Path:
    """Return a data file of a package, without importing the package."""
    from importlib.util import find_spec

    spec = find_spec(package)
    path = Path(spec.origin or "").parent.joinpath(*parts) if spec else None
    if path is None or not path.is_file():
        raise BadInput(f"ImageNet's classes are read from the package {package}; its installation lacks {parts[-1]}.")
    return path
