"""Measure marks and unlikeness: `python -m workbench.taught.measuring MODEL… --photos …`.

A hundred questions in everyday words, half of them about what the models were never shown, are in `questions.csv`: a
photo, the right label and three wrong ones. Counted is how often a sentence stands under a wrong answer and none under
a right one. Of unlike images, the false alarms are counted on photos that the threshold was not set with.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import WorkbenchError
from workbench.loading import load
from workbench.pictures import SAMPLES, sample_path
from workbench.statistics.intervals import proportion
from workbench.taught.likeness import RATE, seen, threshold
from workbench.taught.words import taught_words
from workbench.training.pocket.ingredients import part
from workbench.training.pocket.quality.measuring import SELECTION, labelled
from workbench.zeroshot import classify

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.backend import ClipBackend

# scikit-image's pictures that show nothing of which the models have a name
_STRANGE = """brick camera cell chessboard_GRAY chessboard_RGB color grass gravel hubble_deep_field ihc logo
    microaneurysms moon page phantom retina text"""
STRANGE = frozenset(_STRANGE.split())
SPLITS = 200  # random halves


@dataclass(frozen=True)
class Question:
    """A photo and labels, the right one first."""

    outside: bool  # about what the models were never shown
    image: Path
    labels: tuple[str, ...]


@dataclass(frozen=True)
class MarkedAnswer:
    """How a model answered a question."""

    outside: bool
    right: bool
    marked: bool  # a sentence about its labels stands under the answer


def questions(photos: Path) -> Iterator[Question]:
    """Read the questions; photos are files of the folder, or keys of shipped pictures."""
    shipped = {one.key for one in SAMPLES}
    with Path(__file__).with_name("questions.csv").open(encoding="utf-8", newline="") as file:
        for about, image, *labels in list(csv.reader(file))[1:]:
            yield Question(
                about == "outside", sample_path(image) if image in shipped else photos / image, tuple(labels)
            )


def answers(backend: ClipBackend, every: Sequence[Question]) -> list[MarkedAnswer]:
    """Ask the model each question; it must be one whose words are known."""
    words = taught_words(backend.spec)
    assert words is not None
    out = []
    for one in every:
        top = classify(backend, [one.image], one.labels).ranked(0)[0][0]
        marked = any(words.taught(label) != "photos" for label in one.labels)
        out.append(MarkedAnswer(one.outside, top == one.labels[0], marked))
    return out


def false_alarms(scores: NDArray[np.float32], seed: int = 0) -> float:
    """Mean share of photos, 0..1, below a threshold that the other half of them set, over random halves."""
    rng, shares = np.random.default_rng(seed), []
    for _ in range(SPLITS):
        mixed = rng.permutation(scores)
        half = len(mixed) // 2
        shares.append(float((mixed[half:] < threshold(mixed[:half], RATE)).mean()))
    return float(np.mean(shares))


def strange_pictures() -> list[Path]:
    """Return scikit-image's pictures of tissue, sky, patterns, pages and the like."""
    import skimage

    folder = Path(str(skimage.__file__)).parent / "data"
    return sorted(file for file in folder.iterdir() if file.stem in STRANGE and file.suffix in (".png", ".jpg"))


def _lines(backend: ClipBackend, photos: Path) -> Iterator[str]:
    every = answers(backend, list(questions(photos)))
    for name, right, marked in (("wrong answers marked", False, True), ("right answers not marked", True, False)):
        some = [one for one in every if one.right is right]
        yield _share(name, [one.marked is marked for one in some])
    for name, outside in (("questions outside marked", True), ("questions inside not marked", False)):
        yield _share(name, [one.marked is outside for one in every if one.outside is outside])
    for name, outside in (("right of questions inside", False), ("right of questions outside", True)):
        yield _share(name, [one.right for one in every if one.outside is outside])
    known = seen(backend.spec)
    assert known is not None
    some_photos = [path for path, _ in labelled(photos) if part(path.name, 2) == SELECTION]
    scores = known.score(_embedded(backend, some_photos))
    yield f"false alarms on the other half of {len(scores)} photos: {100 * false_alarms(scores):.1f} %"
    yield _share(
        "strange pictures called unlike", known.score(_embedded(backend, strange_pictures())) < known.threshold
    )


def _embedded(backend: ClipBackend, files: Sequence[Path]) -> NDArray[np.float32]:
    return np.concatenate([backend.embed_images(files[at : at + 32]).numpy() for at in range(0, len(files), 32)])


def _share(name: str, hits: Any) -> str:
    return f"{name}: {int(sum(hits))} of {len(hits)}, {proportion(int(sum(hits)), len(hits))}"


def main() -> None:
    """Read the options and print a line a figure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("models", nargs="+", help="keys of shipped models")
    options.add_argument("--photos", type=Path, required=True, help="validation photos with labels.csv")
    arguments = options.parse_args()
    try:
        for model in arguments.models:
            sys.stdout.write(f"{model}\n")
            for line in _lines(load(model, device="cpu"), arguments.photos):
                sys.stdout.write(f"  {line}\n")
    except WorkbenchError as error:
        options.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
