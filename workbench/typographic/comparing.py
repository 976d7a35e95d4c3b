"""One image, clean and written on: what a model answers to each, among the same labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.images import safe_open
from workbench.labels import check_labels
from workbench.prompts import DEFAULT
from workbench.typographic.lettering import Label
from workbench.typographic.writing import checked, covered, write
from workbench.zeroshot import Classification, classify

if TYPE_CHECKING:
    from PIL import Image

    from workbench.backend import ClipBackend, Picture

LARGEST = 672  # pixels of the shorter side: larger images are made smaller before they are written on


@dataclass(frozen=True)
class WrittenAnswers:
    """Answers to an image without labels (row 0) and with them (row 1)."""

    answers: Classification  # of two images
    cover: float  # share of the image that the labels cover, 0..1
    clean: Image.Image  # as it was asked about
    written: Image.Image

    def top(self, row: int) -> str:
        """The likeliest name of the clean (0) or the written-on (1) image."""
        return self.answers.ranked(row)[0][0]

    def success(self, target: str) -> bool:
        """Say whether the target is the answer, and was not before."""
        return self.top(1) == target != self.top(0)


def canvas(picture: Picture) -> Image.Image:
    """Return an image small enough to be written on at once: its shorter side has at most 672 pixels."""
    return safe_open(picture, shorter=LARGEST)


def compare(
    backend: ClipBackend,
    picture: Image.Image,
    labels: Sequence[Label],
    *,
    names: Sequence[str],
    templates: Sequence[str] = (DEFAULT,),
) -> WrittenAnswers:
    """Ask about an image with and without labels.

    Args:
        backend: the model.
        picture: upright RGB.
        labels: what is written on it; none gives the same image twice.
        names: what the model chooses from.
        templates: prompts with `{}`.

    Raises:
        BadInput, UnknownName: a label, name or template that cannot be used.
    """
    labels, names = [checked(one) for one in labels], check_labels(names)
    clean = canvas(picture)
    written = write(clean, labels)
    answers = classify(backend, [clean, written], names, templates=templates)
    return WrittenAnswers(answers, covered(clean.size, labels) if labels else 0.0, clean, written)
