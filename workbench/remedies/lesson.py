"""What remedies are fitted to, and a remedied model's vectors, worked out from those of the model as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadInput
from workbench.prompts import fill
from workbench.remedies.erasure import LinearMap

if TYPE_CHECKING:
    from workbench.typographic.learned import Learned

Vectors = Callable[[Sequence[str]], NDArray[np.float64]]  # texts -> (m, dim) unit rows
FEWEST = 2  # images of each group


@dataclass(frozen=True, eq=False)
class Lesson:
    """Images of two groups, and texts that name them."""

    images: NDArray[np.float64]  # (n, dim) unit rows
    second: NDArray[np.bool_]  # (n,) which images show the second group
    words: tuple[str, str]  # of the two groups, as in "a person who is male"
    named: NDArray[np.float64]  # (2, dim) unit rows: texts of the two groups
    pairs: NDArray[np.float64]  # (m, 2, dim) unit rows: texts that differ only in the group


@dataclass(frozen=True)
class Wording:
    """How two groups are named."""

    words: tuple[str, str]  # "male", "female"
    labels: tuple[str, ...]  # "cook", …: what pairs of texts are made of
    template: str  # "a photo of a {}"

    @property
    def texts(self) -> list[str]:
        """The texts of a lesson: both groups as a person, then as each label."""
        return [fill(self.template, f"{word} {label}") for label in ("person", *self.labels) for word in self.words]

    def lesson(self, images: NDArray[np.floating], side: NDArray[np.integer], vectors: Vectors) -> Lesson:
        """Return the lesson.

        Args:
            images: (n, dim) unit rows.
            side: (n,) 0 and 1 for the two groups, anything else for images of neither.
            vectors: embeds the texts.

        Raises:
            BadInput: a group has fewer than two images.
        """
        counts = [int((side == at).sum()) for at in (0, 1)]
        if min(counts) < FEWEST:
            raise BadInput(
                f"A remedy is fitted to {FEWEST} images or more of each group; got {counts[0]} {self.words[0]} and "
                f"{counts[1]} {self.words[1]}."
            )
        named, *pairs = vectors(self.texts).reshape(-1, 2, images.shape[1])
        both = np.isin(side, (0, 1))
        return Lesson(images[both].astype(np.float64), side[both] == 1, self.words, named, np.stack(pairs))


def clause(word: str) -> str:
    """Return what stands behind a text that asks for one group."""
    return f"who is {word}"


def with_clauses(texts: Sequence[str], words: Sequence[str]) -> list[str]:
    """Return texts, and each as it asks for either group."""
    return [*texts, *(f"{text} {clause(word)}" for text in texts for word in words)]


def remedied(made: Learned, images: NDArray[np.float64], vectors: Vectors) -> tuple[NDArray[np.float64], Vectors]:
    """Return images and texts as the edited model has them: (n, dim) unit rows, and what embeds texts."""
    maps: Mapping[str, LinearMap] = {name: LinearMap.unpacked(one) for name, one in made.tensors.items()}
    moved = maps["image"](images) if "image" in maps else images
    clauses = made.settings.get("suffixes", ())

    def texts(sentences: Sequence[str]) -> NDArray[np.float64]:
        if clauses:
            rows = np.mean([vectors([f"{text} {one}" for text in sentences]) for one in clauses], axis=0)
            return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
        return maps["text"](vectors(sentences)) if "text" in maps else vectors(sentences)

    return moved, texts
