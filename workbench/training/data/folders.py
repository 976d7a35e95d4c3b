"""Pairs from a folder: a sentence in a text file beside each picture, or the name of the folder that it lies in.

Knows neither tables nor archives.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from workbench.images import safe_open
from workbench.training.data.pairs import Found, Pair, usable

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
MAX_SIDECAR = 100_000  # bytes of a text file beside a picture


def from_folder(folder: Path) -> Found:
    """Read a folder with all folders below it; hidden ones are passed over.

    Where any picture has a `.txt` of its own name beside it, those texts are captions, and pictures without one are
    passed over. Else the first folder below `folder` is the label, with `_` read as a space.

    Raises:
        BadInput: no picture has a sentence.
    """
    pictures = list(_pictures(folder))
    captioned = any(path.with_suffix(".txt").is_file() for path in pictures)
    pairs, passed_over = [], []
    for path in pictures:
        name = path.relative_to(folder).as_posix()
        if captioned:
            text, reason = _sidecar(path.with_suffix(".txt"))
        else:
            top = path.relative_to(folder).parts[0]
            alone = path.parent == folder
            text, reason = ("", "it lies in no class folder and has no .txt") if alone else (top.replace("_", " "), "")
        if reason:
            passed_over.append(f"{name}: {reason}")
        else:
            pairs.append(Pair(name, text, not captioned, partial(safe_open, path), path.stat().st_size))
    kept, said = usable(pairs, passed_over, where=f"the folder {folder.name!r}")
    texts = [path.with_suffix(".txt") for path in pictures] if captioned else []
    return Found(kept, tuple(said), tuple(sorted({*pictures, *texts})))


def _pictures(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root, name)
            if name.lower().endswith(SUFFIXES) and not name.startswith(".") and path.is_file():
                yield path


def _sidecar(file: Path) -> tuple[str, str]:
    """Return a caption, or why there is none."""
    try:
        if file.stat().st_size > MAX_SIDECAR:
            return "", "its .txt is no caption: it has more than 100 kB"
        return " ".join(file.read_text(encoding="utf-8-sig").split()), ""
    except FileNotFoundError:
        return "", "it has no .txt"
    except (OSError, UnicodeDecodeError):
        return "", "its .txt cannot be read as UTF-8"
