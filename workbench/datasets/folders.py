"""Images in a folder and all folders below it; the first folder is the label, a `.txt` beside an image its caption."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from workbench.datasets.samples import MAX_TEXT_FILE, ImageSample, Listing, class_of, is_image
from workbench.errors import BadInput


def image_names(folder: Path | str) -> Iterator[str]:
    """Yield the paths of all images below a folder, relative to it, in a fixed order; hidden ones are skipped."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if is_image(name):
                yield Path(root, name).relative_to(folder).as_posix()


def read_folder(folder: Path, *, captions: bool = False) -> Listing:
    """Read a folder with all folders below it.

    Args:
        folder: with images; of `cat/x/1.png` the label is `cat`.
        captions: read the `.txt` files beside the images.

    Raises:
        BadInput: no such folder.
    """
    if not folder.is_dir():
        raise BadInput(f"There is no folder {str(folder)[-200:]!r}.")
    samples, skipped, files = [], [], set()
    for name in image_names(folder):
        path = folder / name
        text_file = path.with_suffix(".txt")
        texts: tuple[str, ...] = ()
        files.add(path)
        try:
            if captions and text_file.is_file():
                files.add(text_file)
                with text_file.open("rb") as opened:
                    texts = (read_caption(opened.read(MAX_TEXT_FILE + 1)),)
        except (OSError, ValueError) as error:
            skipped.append(f"{name}: its .txt {error.strerror if isinstance(error, OSError) else error}")
            continue
        size = path.stat().st_size if path.is_file() else 0
        samples.append(ImageSample(name, path, class_of(name), texts, size=size))
    return Listing(tuple(samples), tuple(skipped), tuple(sorted(files)), title=folder.name or str(folder))


def read_caption(data: bytes) -> str:
    """Return the text of a caption file, with all white space as single spaces.

    Raises:
        ValueError: over 100 kB, or not UTF-8.
    """
    if len(data) > MAX_TEXT_FILE:
        raise ValueError(f"is no caption: it has more than {MAX_TEXT_FILE // 1000} kB")
    try:
        return " ".join(data.decode("utf-8-sig").split())
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
