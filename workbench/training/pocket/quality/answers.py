"""The result and the input of a measure, and the steps that measures share."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from workbench.backend import ClipBackend
from workbench.places import write_whole
from workbench.statistics.intervals import Share, proportion
from workbench.training.pocket.bank import Bank
from workbench.training.pocket.emoji import Emoji
from workbench.training.pocket.fonts import Font
from workbench.training.pocket.names import Lexicon

if TYPE_CHECKING:
    from workbench.backend import Picture

SIDE = 224
TEMPLATE = "a photo of a {}."
BATCH = 50


@dataclass(frozen=True)
class QualityAnswer:
    """One line of the table: what was asked, the share, how it was asked, and which cases were hits."""

    question: str
    share: Share
    how: str
    hits: tuple[bool, ...] = ()


@dataclass(frozen=True)
class HeldOut:
    """What was kept apart from training.

    Attributes:
        photos: full-size photos with their classes.
        small: 64 px photos with their classes.
        drawings: a foreign emoji style.
        fonts: printed families that were not trained with.
        hands: families of handwriting that were not trained with.
        lexicon: the names.
        bank: all names trained on.
        seed: of all that is drawn at random.
    """

    photos: list[tuple[Image.Image, int]]
    small: list[tuple[Image.Image, int]]
    drawings: list[tuple[Emoji, NDArray[np.uint8]]]
    fonts: tuple[Font, ...]
    lexicon: Lexicon
    bank: Bank
    hands: tuple[Font, ...] = ()
    seed: int = 0

    @property
    def labels(self) -> list[str]:
        """First names of classes that are one short word, as they are written on labels."""
        names = [name.lower() for name in self.lexicon.first()]
        return [name for name in names if name.isalpha() and 3 <= len(name) <= 10]

    def rng(self) -> random.Random:
        """A generator that starts anew for each measure."""
        return random.Random(self.seed)


def embed(backend: ClipBackend, pictures: Sequence[Picture]) -> Tensor:
    """Embed pictures, or files of pictures, in batches; (n, dim) unit rows."""
    rows = [backend.embed_images(list(pictures[start : start + BATCH])) for start in range(0, len(pictures), BATCH)]
    return torch.cat(rows)


def embed_names(backend: ClipBackend, names: Sequence[str], template: str = TEMPLATE) -> Tensor:
    """Embed names in a template; (n, dim) unit rows."""
    return backend.embed_texts([template.format(name) for name in names])


def counted(question: str, scores: Tensor, truth: Tensor, *, how: str, top: int = 1) -> QualityAnswer:
    """An answer from scores (n, choices) and the right choice of each row, (n,): a hit is among the best `top`."""
    best = scores.topk(min(top, scores.shape[1]), dim=1).indices
    return answered(question, (best == truth[:, None]).any(1), how=how)


def answered(question: str, hits: Tensor, *, how: str) -> QualityAnswer:
    """An answer from which cases were hits, (n,) bool."""
    return QualityAnswer(question, proportion(int(hits.sum()), len(hits)), how, tuple(hits.tolist()))


def _table(answers: Sequence[QualityAnswer]) -> str:
    """A Markdown table of answers."""
    lines = ["| question | share | 95 % interval | n | how |", "|---|---|---|---|---|"]
    for answer in answers:
        value = answer.share
        share, low, high = (math.nan if part is None else 100 * part for part in (value.value, value.low, value.high))
        lines.append(f"| {answer.question} | {share:.1f} % | {low:.1f} to {high:.1f} % | {value.n} | {answer.how} |")
    return "\n".join(lines) + "\n"


def write(file: Path, answers: Sequence[QualityAnswer]) -> None:
    """Write a Markdown table of answers, and the same as JSON beside it.

    Raises:
        OutOfResources: they cannot be written.
    """
    rows = [{"question": one.question, "how": one.how, **asdict(one.share)} for one in answers]
    write_whole(file, _table(answers).encode())
    write_whole(file.with_suffix(".json"), (json.dumps(rows, indent=1) + "\n").encode())
