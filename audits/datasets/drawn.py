"""Write a drawn data set: images as PNG files and the table as `samples.csv`, the same bytes each time."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from PIL import Image

SAMPLES = "samples.csv"
Picture: TypeAlias = tuple[str, Image.Image, Mapping[str, str]]  # sample_id, image, other columns of the table


def write_pictures(folder: Path, pictures: Iterable[Picture]) -> None:
    """Write images, `NAME.png`, and the table of their columns, which are the same for all.

    Each picture comes as sample_id, image and the other columns of the table; the folder is empty.
    """
    columns: list[str] = []

    def rows() -> Iterator[tuple[str, ...]]:
        for name, picture, values in pictures:
            picture.save(folder / f"{name}.png", format="PNG")
            columns[:] = ["sample_id", "path", *values]
            yield (name, f"{name}.png", *values.values())

    written = list(rows())
    write_table(folder, columns, written)


def write_table(folder: Path, columns: Sequence[str], rows: Iterable[tuple[str, ...]]) -> None:
    """Write the table of a data set, with sorted rows."""
    with (folder / SAMPLES).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(sorted(rows))
