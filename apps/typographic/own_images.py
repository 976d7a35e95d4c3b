"""The images that defences are measured on: drawings, or a visitor's folder, with words on its photos or without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from apps.shared.folder_box import inside
from apps.shared.labelled_images import from_folder
from audits.typographic.drawings import measured_images
from workbench.datasets.csv_files import read_csv
from workbench.errors import BadInput
from workbench.typographic.comparing import canvas
from workbench.typographic.measuring import AttackedSet, attacked_set
from workbench.typographic.written_photos import FILE, written_photos

MOST = 600  # images of a folder


def images_to_measure(folder: Sequence[tuple[str, str]] | None, count: int, *, seed: int) -> tuple[AttackedSet, str]:
    """Return images to measure on, and what they are, in the plural.

    Args:
        folder: pairs of an uploaded file and its path in the folder; None for drawings.
        count: drawings, or images of class folders, at most.
        seed: of words, places, sizes and fonts, and of the choice among many images.

    Raises:
        BadInput: a folder that is neither class folders nor photos with `labels.csv`, or too many photos.
    """
    if not folder:
        return measured_images(seed, count), "drawings"
    files = {inside(name).name: file for file, name in folder}
    if FILE in files:
        return _written(files), "pairs of your photos, without and with a word"
    samples = [one for one in from_folder(folder).samples if one.label]
    if len({one.label for one in samples}) < 2:
        raise BadInput(f"Give class folders of two things or more, or photos with {FILE} (file, thing, word).")
    chosen = np.sort(np.random.default_rng(seed).permutation(len(samples))[:count])
    pictures = [canvas(samples[at].open()) for at in chosen]
    names = [samples[at].label.replace("_", " ") for at in chosen]
    return attacked_set(pictures, names, seed=seed), "of your images"


def _written(files: dict[str, str]) -> AttackedSet:
    table = read_csv(Path(files[FILE]), max_bytes=1_000_000, max_rows=MOST)

    def opened(name: str) -> Image.Image:
        if name not in files:
            raise BadInput(f"{FILE} names {name[:80]!r}, which is not in the folder.")
        return canvas(Path(files[name]))

    return written_photos(table, opened)
