"""Photos that bear a word already: a folder with `labels.csv` (file, thing, word), paired with photos without one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.datasets.csv_files import CsvTable, check_columns, read_csv
from workbench.errors import BadInput
from workbench.images import safe_open
from workbench.typographic.comparing import canvas
from workbench.typographic.measuring import AttackedSet

if TYPE_CHECKING:
    from PIL import Image

FILE = "labels.csv"
COLUMNS = ("file", "thing", "word")


def read_written(folder: Path) -> AttackedSet:
    """Read a folder whose `labels.csv` names each photo's thing and the word on it; an empty word is a clean photo.

    Raises:
        BadInput: see `written_photos`; a file that is not in the folder.
    """

    def opened(name: str) -> Image.Image:
        if Path(name).name != name:
            raise BadInput(f"{FILE} names files that lie beside it; got {name[:80]!r}.")
        return safe_open(folder / name)

    return written_photos(read_csv(folder / FILE), opened)


def written_photos(table: CsvTable, opened: Callable[[str], Image.Image]) -> AttackedSet:
    """Pair each photo that bears a word with a clean photo of the same thing.

    Photos whose word names the thing itself are left out, and so are those of things without a clean photo.

    Args:
        table: columns file, thing and word.
        opened: opens a file by its name in the table; upright RGB.

    Raises:
        BadInput: a column is missing, or no thing has both a clean photo and one with another thing's name.
        BadPicture: a file that is no usable image.
    """
    check_columns(table.name, table.columns, COLUMNS)
    at = [table.columns.index(name) for name in COLUMNS]
    rows = [[cells[place].strip() for place in at] for _, cells in table.rows]
    bare: dict[str, list[str]] = {}
    for file, thing, word in rows:
        if not word:
            bare.setdefault(thing, []).append(file)
    turns = {thing: cycle(files) for thing, files in bare.items()}
    pairs = [
        (next(turns[thing]), file, thing, word)
        for file, thing, word in rows
        if word and word.lower() != thing.lower() and thing in turns
    ]
    if not pairs:
        raise BadInput(
            f"{table.name} needs, of one thing at least, a photo without a word (its word is empty) and one that bears "
            "another thing's name."
        )
    photos = {file: canvas(opened(file)) for pair in pairs for file in pair[:2]}
    names = tuple(sorted({name for *_, thing, word in pairs for name in (thing, word)}))
    return AttackedSet(
        tuple(photos[clean] for clean, *_ in pairs),
        tuple(photos[written] for _, written, *_ in pairs),
        tuple(thing for *_, thing, _ in pairs),
        tuple(word for *_, word in pairs),
        names,
        tuple(clean for clean, *_ in pairs),
    )
