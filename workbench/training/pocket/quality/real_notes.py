"""Photos of things, bare or with a handwritten label: `python -m workbench.training.pocket.quality.real_notes`.

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
from PIL import Image, ImageFilter

from workbench.backend import ClipBackend
from workbench.errors import BadInput, WorkbenchError
from workbench.images import safe_open
from workbench.loading import load
from workbench.training.pocket.quality.answers import QualityAnswer, answered, counted, embed, embed_names, write

TABLE, COLUMNS = "labels.csv", ("file", "thing", "word")
CHOICES = 9  # names that a bare thing is told from, its own among them
OTHERS = ("coffee mug", "clock", "book", "lamp", "umbrella", "bottle", "chair", "shoe", "backpack")  # fill these up
LEAST = 0.2  # of its side, what a photo is shrunk to
BLUR = 0.1  # of its side, the radius of the blur around it then


@dataclass(frozen=True)
class LabelledPhoto:
    """A photo of a thing, and the word on its label; "" where it is bare."""

    file: Path
    thing: str
    word: str


def read(folder: Path) -> list[LabelledPhoto]:
    """Read a folder of photos with `labels.csv` (file, thing, word).

    Raises:
        BadInput: no such table, a column or a photo missing, a nameless thing, a label with the thing's own name, or
            fewer than two things.
    """
    try:
        with (folder / TABLE).open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file, restval="")
            missing = [name for name in COLUMNS if name not in (lines.fieldnames or ())]
            rows = [] if missing else [[line[name].strip() for name in COLUMNS] for line in lines]
    except (OSError, UnicodeDecodeError, csv.Error):
        raise BadInput(
            f"The folder of photos needs a {TABLE} (file, thing, word; no word where the thing is bare); "
            f"{str(folder)!r} has none that can be read."
        ) from None
    if missing:
        raise BadInput(f"{TABLE} has the columns {', '.join(COLUMNS)}; missing: {', '.join(missing)}.")
    photos = [LabelledPhoto(folder / name, thing, word) for name, thing, word in rows]
    for photo in photos:
        _check(photo)
    if len({photo.thing for photo in photos}) < 2:
        raise BadInput(f"{TABLE} needs photos of at least two things; it has fewer.")
    return photos


def _check(photo: LabelledPhoto) -> None:
    if not photo.file.is_file():
        raise BadInput(f"{TABLE} lists the photo {photo.file.name!r}, which does not exist.")
    if not photo.thing:
        raise BadInput(f"{TABLE} has no thing for the photo {photo.file.name!r}.")
    if photo.word.casefold() == photo.thing.casefold():
        raise BadInput(
            f"The word on a label must differ from the thing; {photo.file.name!r} has {photo.word!r} for both."
        )


def real_notes(
    backend: ClipBackend, photos: Sequence[LabelledPhoto], *, shrunk: float = 1.0
) -> Iterator[QualityAnswer]:
    """Is the bare thing named among nine, and does a word on its label beat it: in all photos, and for each thing?

    Answers only what there are photos for.

    Args:
        backend: the model.
        photos: as `read` gives them.
        shrunk: of its side, what each is shrunk to, as `farther` does it.

    Raises:
        BadInput: a share that `farther` refuses.
    """
    things = sorted({photo.thing for photo in photos})
    things += [name for name in OTHERS if name not in things][: max(0, CHOICES - len(things))]
    blank, written = ([photo for photo in photos if bool(photo.word) is wanted] for wanted in (False, True))
    if blank:
        scores = _seen(backend, blank, shrunk) @ embed_names(backend, things).T
        truth = torch.tensor([things.index(photo.thing) for photo in blank])
        yield counted("names the bare thing", scores, truth, how=f"{len(things)}-way")
    if written:
        seen, thing, word = (
            _seen(backend, written, shrunk),
            embed_names(backend, [photo.thing for photo in written]),
            embed_names(backend, [photo.word for photo in written]),
        )
        beaten = (seen * word).sum(-1) > (seen * thing).sum(-1)
        yield answered("the word on the label beats the thing", beaten, how="two-way")
        for name in sorted({photo.thing for photo in written}):
            own = beaten[torch.tensor([photo.thing == name for photo in written])]
            yield answered(f"the word on the label beats the {name}", own, how="two-way")


def farther(picture: Image.Image, shrunk: float) -> Image.Image:
    """A photo as if from farther away: shrunk, amid what it shows, blurred; of the size that it had.

    Args:
        picture: the photo.
        shrunk: of its side, 0.2..1.

    Raises:
        BadInput: another share.
    """
    _check_share(shrunk)
    ground = picture.filter(ImageFilter.GaussianBlur(BLUR * max(picture.size)))
    inner = picture.resize([max(1, round(shrunk * side)) for side in picture.size], Image.Resampling.LANCZOS)
    ground.paste(inner, ((ground.width - inner.width) // 2, (ground.height - inner.height) // 2))
    return ground


def _check_share(shrunk: float) -> None:
    if not LEAST <= shrunk <= 1:
        raise BadInput(f"A photo is shrunk to {LEAST} to 1 of its side; got {shrunk:g}.")


def _seen(backend: ClipBackend, photos: Sequence[LabelledPhoto], shrunk: float) -> torch.Tensor:
    if shrunk == 1:
        return embed(backend, [photo.file for photo in photos])
    return torch.cat([embed(backend, [farther(safe_open(photo.file), shrunk)]) for photo in photos])  # one in memory


def main() -> None:
    """Read the options, measure, write a Markdown table and the same as JSON."""
    options = argparse.ArgumentParser(description="Photos of things, bare or with a handwritten label.")
    options.add_argument("model", help="a key of the catalogue, or a folder")
    options.add_argument("folder", type=Path, help=f"photos and {TABLE} (file, thing, word)")
    options.add_argument("--out", type=Path, required=True, help="a .md file; .json goes beside it")
    options.add_argument("--shrunk", type=float, default=1.0, help="of its side, as if each photo was farther away")
    arguments = options.parse_args()
    try:
        photos = read(arguments.folder)
        _check_share(arguments.shrunk)
        model = load(arguments.model, device="cpu")
        write(arguments.out, list(real_notes(model, photos, shrunk=arguments.shrunk)))
    except WorkbenchError as error:
        options.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
