"""What pictures are asked with: names where the text tower has them, captions of which one is true, and classes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from workbench.prompts import DEFAULT
from workbench.training.pocket.example import TrainingExample
from workbench.training.texts.vectors import HALF, Choices, Vectors

SHARES = {"drawn": 1.0, "photo": HALF, "bare": HALF}  # of the loss, by how names are phrased


@dataclass(frozen=True)
class Naming:
    """Names to choose from.

    Attributes:
        column: of each name that pictures show.
        tables: for each of `SHARES`, (names, dim) unit rows.
        scale: of cosines.
    """

    column: Mapping[str, int]
    tables: Tensor
    scale: float

    @classmethod
    def of(cls, vectors: Vectors, choices: Choices, *, scale: float) -> Naming:
        """Those that pictures show."""
        column = {choices.bank.names[place]: number for number, place in enumerate(choices.pictured.tolist())}
        tables = torch.stack([getattr(vectors, kind)[choices.pictured] for kind in SHARES])
        return cls(column, tables, scale)

    def loss(self, rows: Tensor, shown: Sequence[Mapping[str, float]]) -> Tensor:
        """How far embeddings are from saying what is shown, the mean over those whose names are known.

        Args:
            rows: (n, dim), of any length.
            shown: names with weights, for each.
        """
        target = torch.zeros(len(rows), len(self.column))
        for one, weights in zip(target, shown, strict=True):
            for name, weight in weights.items():
                if name in self.column:
                    one[self.column[name]] = weight
        target = target.to(rows.device)
        known = target.sum(1) > 0
        if not known.any():
            return rows.sum() * 0
        target = functional.normalize(target[known], p=1, dim=1)
        logits = self.scale * functional.normalize(rows[known], dim=-1) @ self.tables.to(rows).mT  # (forms, n, names)
        losses = -(target * logits.log_softmax(-1)).sum(-1).mean(-1)
        shares = torch.tensor(list(SHARES.values())).to(losses)
        return (shares * losses).sum() / shares.sum()


@dataclass(frozen=True)
class CaptionChoice:
    """Captions to choose from.

    Attributes:
        embed: texts -> (n, dim) unit rows.
        scale: of cosines.
    """

    embed: Callable[[Sequence[str]], Tensor]
    scale: float

    def loss(self, rows: Tensor, captions: Sequence[Sequence[str]]) -> Tensor:
        """How far embeddings are from saying which caption is true, the mean; 0 where there are none.

        Args:
            rows: (n, dim), of any length.
            captions: for each, the true one first.
        """
        if not captions:
            return rows.sum() * 0
        place = {text: number for number, text in enumerate(dict.fromkeys(itertools.chain(*captions)))}
        logits = self.scale * functional.normalize(rows, dim=-1) @ self.embed(list(place)).to(rows).T
        among = [row[[place[text] for text in every]] for row, every in zip(logits, captions, strict=True)]
        return torch.stack([row.logsumexp(0) - row[0] for row in among]).mean()


@dataclass(frozen=True)
class ClassAnswers:
    """Classes that photos are told from, softly (Hinton et al. 2015, arXiv:1503.02531).

    Attributes:
        vectors: (classes, dim) unit rows.
        scale: of cosines.
    """

    vectors: Tensor
    scale: float

    def loss(self, rows: Tensor, aim: Tensor) -> Tensor:
        """How far what embeddings are called is from what others are called: nats, the mean; 0 where there are none.

        Args:
            rows: (n, dim), of any length.
            aim: likewise, whose answers are right.
        """
        cosines = (functional.normalize(one, dim=-1) @ self.vectors.to(one).T for one in (rows, aim))
        called, right = ((self.scale * one).log_softmax(-1) for one in cosines)
        return (right.exp() * (right - called)).sum() / max(1, len(rows))

    def surprise(self, rows: Tensor, labels: Tensor) -> Tensor:
        """How little embeddings are called what they are labelled: nats, the mean; 0 where there are none.

        Args:
            rows: (n, dim), of any length.
            labels: (n,) the right classes.
        """
        cosines = functional.normalize(rows, dim=-1) @ self.vectors.to(rows).T
        return functional.cross_entropy(self.scale * cosines, labels, reduction="sum") / max(1, len(rows))


def word_first(example: TrainingExample) -> tuple[str, ...]:
    """What a photo with a word on it may be called, as people ask: the word, then every other name of what it shows."""
    names = (example.written, *(name for name in example.weights if name != example.written))
    return tuple(DEFAULT.format(name) for name in names)
