"""Write a drawn data set: images as PNG files and the table as `samples.csv`, the same bytes each time."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from PIL import Image

SAMPLES = "samples.csv"
Picture: TypeAlias = tuple[str, Image.Image, Mapping[str, str]]  # sample_id, image, other columns of the table


def glyphs(row: str) -> dict[str, str]:
    """Read "anchor ⚓, fire engine 🚒": name -> character."""
    parts = (entry.rpartition(" ") for entry in row.split(", "))
    return {name: character for name, _, character in parts}


def write_pictures(folder: Path, pictures: Iterable[Picture]) -> None:
    """Write images, `NAME.png`, and the table of their columns, which are the same for all.

    Each picture comes as sample_id, image and the other columns of the table; the folder is empty.
    """
    rows: list[tuple[str, ...]] = []
    columns: list[str] = []
    for name, picture, values in pictures:
        picture.save(folder / f"{name}.png", format="PNG")
        columns = ["sample_id", "path", *values]
        rows.append((name, f"{name}.png", *values.values()))
    with (folder / SAMPLES).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(sorted(rows))
