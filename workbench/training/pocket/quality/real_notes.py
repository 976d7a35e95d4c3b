"""Photos of things with a note on them, blank or written on: `python -m workbench.training.pocket.quality.real_notes`.

Asked of any model of the catalogue, wherever there are such photos; none come with this project.

Source:
    Goh et al. 2021, Distill, "Multimodal neurons in artificial neural networks" (things with blank and written labels).
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

import workbench
from workbench.backend import ClipBackend
from workbench.errors import BadInput, WorkbenchError
from workbench.statistics.intervals import proportion
from workbench.training.pocket.quality.answers import Answer, counted, embed, say, write

TABLE, COLUMNS = "labels.csv", ("file", "thing", "word")


@dataclass(frozen=True)
class Noted:
    """A photo of a thing, and the word on its note; "" where the note is blank."""

    file: Path
    thing: str
    word: str


def read(folder: Path) -> list[Noted]:
    """Read a folder of photos with `labels.csv` (file, thing, word).

    Raises:
        BadInput: no such table, a column or a photo missing, a nameless thing, a note with the thing's own name, or
            fewer than two things.
    """
    try:
        with (folder / TABLE).open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file, restval="")
            missing = [name for name in COLUMNS if name not in (lines.fieldnames or ())]
            rows = [] if missing else [[line[name].strip() for name in COLUMNS] for line in lines]
    except (OSError, UnicodeDecodeError, csv.Error):
        raise BadInput(
            f"Photos of notes come with {TABLE} (file, thing, word; no word where the note is blank); "
            f"{str(folder)!r} has none that can be read."
        ) from None
    if missing:
        raise BadInput(f"{TABLE} has the columns {', '.join(COLUMNS)}; missing: {', '.join(missing)}.")
    found = [Noted(folder / name, thing, word) for name, thing, word in rows]
    for photo in found:
        _check(photo)
    if len({photo.thing for photo in found}) < 2:
        raise BadInput(f"To name a thing there must be at least two to choose from; {TABLE} knows fewer.")
    return found


def _check(photo: Noted) -> None:
    if not photo.file.is_file():
        raise BadInput(f"{TABLE} names the photo {photo.file.name!r}, which is not there.")
    if not photo.thing:
        raise BadInput(f"{TABLE} says no thing for the photo {photo.file.name!r}.")
    if photo.word.casefold() == photo.thing.casefold():
        raise BadInput(f"A word against the thing it stands on; {photo.file.name!r} has {photo.word!r} for both.")


def real_notes(backend: ClipBackend, photos: Sequence[Noted]) -> Iterator[Answer]:
    """Is the thing named among all things while its note is blank, and does a word on the note beat it?

    Answers only what there are photos for.
    """
    things = sorted({photo.thing for photo in photos})
    blank, written = ([photo for photo in photos if bool(photo.word) is wanted] for wanted in (False, True))
    if blank:
        scores = _seen(backend, blank) @ say(backend, things).T
        truth = torch.tensor([things.index(photo.thing) for photo in blank])
        yield counted("names a thing with a blank note on it", scores, truth, how=f"{len(things)}-way")
    if written:
        seen, thing, word = (
            _seen(backend, written),
            say(backend, [photo.thing for photo in written]),
            say(backend, [photo.word for photo in written]),
        )
        beaten = int(((seen * word).sum(-1) > (seen * thing).sum(-1)).sum())
        yield Answer("the word on the note beats the thing", proportion(beaten, len(written)), "two-way")


def _seen(backend: ClipBackend, photos: Sequence[Noted]) -> torch.Tensor:
    return embed(backend, [photo.file for photo in photos])


def main() -> None:
    """Read the options, measure, write a Markdown table and the same as JSON."""
    options = argparse.ArgumentParser(description="Photos of things with a note on them, blank or written on.")
    options.add_argument("model", help="a key of the catalogue, or a folder")
    options.add_argument("folder", type=Path, help=f"photos and {TABLE} (file, thing, word)")
    options.add_argument("--out", type=Path, required=True, help="a .md file; .json goes beside it")
    given = options.parse_args()
    try:
        photos = read(given.folder)
        write(given.out, list(real_notes(workbench.load(given.model, device="cpu"), photos)))
    except WorkbenchError as error:
        options.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
