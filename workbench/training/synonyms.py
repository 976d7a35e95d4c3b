"""The recipe of synonyms: a text tower learns that a thing's other names show it as well as the first does.

The names that a class has share its part of what its pictures are called, so each of them lies farther from these
than another thing's only name. In sentences of photos and drawings, and nowhere else, the other names go a part of the
way to the first. All other texts stay: names by themselves, which are words to read, colours, counts, pairs, nouns.
"""

from __future__ import annotations

import copy
import functools
import random
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from workbench.progress import Progress
from workbench.training.order import Order
from workbench.training.pocket import export
from workbench.training.texts import learning
from workbench.training.texts.learning import Sentences, TextLesson
from workbench.training.texts.looking import Looked, look, step_row
from workbench.training.texts.settings import SynonymsSettings, settings
from workbench.training.texts.tower_vectors import embed

SHORT = {"a {}", "the {}"}  # forms too near to a name by itself
MOVED = 0.3  # of the texts


def train(order: Order, *, stopped: Callable[[], bool]) -> Iterator[Progress]:
    """Teach a text tower synonyms; yields a row after each step.

    Args:
        order: `data` names the folder of photos, `out` where the model goes, `model` the checkpoint: its key or folder.
        stopped: asked after each step; drawn pictures are kept.

    Raises:
        BadInput: an ingredient is missing, or the order asks for what this recipe does not do.
    """
    yield from make(settings(order, SynonymsSettings), order.out, stopped)


def make(wanted: SynonymsSettings, out: Path, stopped: Callable[[], bool]) -> Iterator[Progress]:
    """Do it, and write the model's folder at the end.

    Args:
        wanted: what decides the weights.
        out: the model's folder; `work/` in it keeps the pictures.
        stopped: asked after each step.
    """
    since = time.monotonic()
    start = yield from look(wanted, out, stopped)
    if start is None:
        return
    made, before, steps = start.made, copy.deepcopy(start.made), wanted.steps
    sentences = NearerSentences(
        Sentences(start.vectors, start.material.bank),
        synonymous(start),
        nearer=wanted.nearer,
        embed=functools.partial(embed, before, start.tokenizer),
    )
    lesson = TextLesson(sentences, start.rows, start.nouns, before, steps, wanted.seed, wanted.pace)
    for step, losses in learning.learn(made, start.tokenizer, lesson):
        yield step_row(step, losses, steps=steps, stage="synonyms")
        if stopped():
            return
    export.write_again(
        learning.weights(made), wanted, out, sources=start.read, steps=steps, seconds=time.monotonic() - since
    )


def synonymous(start: Looked) -> dict[str, str]:
    """Sentences of photos and drawings with another name of a class, each with the one that has the first name."""
    names = start.material.bank.names
    forms = [form for form in dict.fromkeys((*learning.PHOTO, *learning.EMOJI)) if form not in SHORT]
    pairs = [(names[other], names[first]) for other, first in start.choices.synonyms.tolist()]
    return {form.format(other): form.format(first) for other, first in pairs for form in forms}


class NearerSentences:
    """Texts where a tower has them, but for some that go a part of the way to others.

    Args:
        others: any texts.
        moved: texts, each with the one that it comes nearer to.
        nearer: how much of that way, 0..1.
        embed: texts -> (n, dim) unit rows, as the tower has them.
    """

    def __init__(
        self, others: Sentences, moved: Mapping[str, str], *, nearer: float, embed: Callable[[list[str]], Tensor]
    ) -> None:
        self._others, self._moved, self._nearer, self._embed = others, moved, nearer, embed
        self._every = sorted(moved)

    def some(self, count: int, rng: random.Random) -> tuple[list[str], Tensor]:
        """So many texts, and their vectors, (count, dim)."""
        drawn = [rng.choice(self._every) if rng.random() < MOVED else self._others.draw(rng)[0] for _ in range(count)]
        ends = [self._moved.get(text, text) for text in drawn]
        every = list(dict.fromkeys([*drawn, *ends]))
        row = dict(zip(every, self._embed(every), strict=True))
        here, there = (torch.stack([row[text] for text in texts]) for texts in (drawn, ends))
        return drawn, functional.normalize(torch.lerp(here, there, self._nearer), dim=-1)
