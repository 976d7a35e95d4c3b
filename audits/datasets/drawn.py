"""Write a data set that is drawn: its pictures as PNG files and its table as `samples.csv`, the same bytes each time.

Knows no picture and no cache.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

SAMPLES = "samples.csv"


def write_pictures(folder: Path, pictures: Iterable[tuple[str, Image.Image, Mapping[str, str]]]) -> None:
    """Write named pictures, `NAME.png`, and what is known of each; all know the same things.

    Args:
        folder: an empty one.
        pictures: sample_id, picture, and the further columns of the table.
    """
    columns: list[str] = []

    def rows() -> Iterator[tuple[str, ...]]:
        for name, picture, facts in pictures:
            picture.save(folder / f"{name}.png", format="PNG")
            columns[:] = ["sample_id", "path", *facts]
            yield (name, f"{name}.png", *facts.values())

    written = list(rows())
    write_table(folder, columns, written)


def write_table(folder: Path, columns: Sequence[str], rows: Iterable[tuple[str, ...]]) -> None:
    """Write the table of a data set, in order of its rows."""
    with (folder / SAMPLES).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(sorted(rows))
