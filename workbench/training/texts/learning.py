"""A text tower learns to put texts where free vectors have them: names in many forms, colours, counts and pairs.

What is away from its vector counts as much as pictures notice it: along directions in which they differ. Other nouns
stay where the tower had them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from workbench.training.pocket import scenes, texts
from workbench.training.pocket.bank import COLOURS, COUNTS, SHAPES, Bank
from workbench.training.pocket.joint import rate
from workbench.training.pocket.painting import DRAWN
from workbench.training.pocket.towers import Towers
from workbench.training.pocket.worded import WORD
from workbench.training.texts.vectors import Vectors

READ = (*("{}",) * 5, "the word {}", "a sign that says {}", "text that says {}", "a label that says {}")
PHOTO = (*("a photo of a {}.",) * 6, *(form for form in texts.TEMPLATES if form != "{}"), "a photo of a {}")
EMOJI = (*("an emoji of a {}",) * 3, *(form for form in DRAWN if form not in texts.TEMPLATES))
SCENES = ("a photo of {}.", "a photo of {}.", "{}", "a picture of {}")
BATCH, KEPT = 320, 32  # texts in a step, and nouns that stay
SHARES = {"bare": 30, "photo": 30, "drawn": 10, "colour": 14, "count": 6, "pair": 20}
OFTEN = 0.6  # of the names are words to read or names of classes; the others any name
RATES = {"tower": 5e-4, "words": 2e-3, "projection": 1e-3}
EVENLY = 0.3  # of the distance counts in every direction alike
KEEP = 0.3  # weight of nouns
AVERAGE, WARM = 0.99, 40


class Sentences:
    """Draws texts with the vectors that they are to have.

    Args:
        vectors: where names lie.
        bank: the names.
    """

    def __init__(self, vectors: Vectors, bank: Bank) -> None:
        self._vectors, self._bank = vectors, bank
        unseen = set(bank.things)
        self._pictured = [name for name in bank.names if name not in unseen]
        self._words = [word for word in bank.words if word in bank.place]
        painted = {f"{colour} {shape}" for colour in COLOURS for shape in SHAPES}
        self._plain = [name for name in bank.names if name not in painted]  # the others have their thing's vector
        self._classes = sorted(bank.classes)
        apart = {*COLOURS, *COUNTS}
        self._things = [
            name
            for name in self._pictured
            if name.replace(" ", "").isalpha() and name.count(" ") < 2 and name.split()[0] not in apart
        ]

    def some(self, count: int, rng: random.Random) -> tuple[list[str], Tensor]:
        """So many texts, and their vectors, (count, dim)."""
        drawn = [self.draw(rng) for _ in range(count)]
        return [text for text, _ in drawn], torch.stack([vector for _, vector in drawn])

    def draw(self, rng: random.Random) -> tuple[str, Tensor]:
        """One text, and its vector, (dim,)."""
        (kind,) = rng.choices(list(SHARES), list(SHARES.values()))
        return self._named(kind, rng) if kind in ("bare", "photo", "drawn") else self._scene(kind, rng)

    def _named(self, kind: str, rng: random.Random) -> tuple[str, Tensor]:
        often, every, forms = {
            "bare": (self._words, self._bank.names, READ),
            "photo": (self._classes, self._plain, PHOTO),
            "drawn": (self._pictured, self._pictured, EMOJI),
        }[kind]
        name = rng.choice(often if rng.random() < OFTEN else every)
        table: Tensor = getattr(self._vectors, kind)
        return rng.choice(forms).format(name), table[self._bank.place[name]]

    def _scene(self, kind: str, rng: random.Random) -> tuple[str, Tensor]:
        place = self._bank.place
        form = rng.choice(SCENES)
        if kind == "pair":
            one, two = (rng.choice(self._classes if rng.random() < 0.7 else self._things) for _ in "ab")
            both = torch.tensor(place[one]), torch.tensor(place[two])
            return form.format(f"a {one} and a {two}"), self._vectors.paired(*both)
        thing = rng.choice(SHAPES if rng.random() < 0.3 else self._things)
        where = torch.tensor(place[thing])
        if kind == "colour":
            number = rng.randrange(len(COLOURS))
            return form.format(f"a {COLOURS[number]} {thing}"), self._vectors.coloured(torch.tensor(number), where)
        number = rng.randrange(len(COUNTS))
        phrase = f"{COUNTS[number]} {scenes.many(thing) if number else thing}"
        return form.format(phrase), self._vectors.counted(torch.tensor(number), where)


class TextSource(Protocol):
    """Whatever draws texts with the vectors that they are to have."""

    def some(self, count: int, rng: random.Random) -> tuple[list[str], Tensor]:
        """So many texts, and their vectors, (count, dim)."""


@dataclass(frozen=True)
class TextLesson:
    """What the text tower is taught.

    Attributes:
        sentences: texts and where they are to lie.
        rows: (n, dim) of pictures, whose directions count.
        nouns: that stay.
        before: where they are.
        steps: of a cycle.
        seed: of the drawing.
        pace: of the rates.
    """

    sentences: TextSource
    rows: Tensor
    nouns: Sequence[str]
    before: Towers
    steps: int
    seed: int
    pace: float = 1.0


def learn(
    made: Towers, tokenizer: Any, lesson: TextLesson, *, cycle: int = 0
) -> Iterator[tuple[int, dict[str, float]]]:
    """Teach the text tower, in place: yields (steps done, losses) after each step; at the end it is their average.

    Args:
        made: whose image tower stays.
        tokenizer: of the text tower.
        lesson: what is taught.
        cycle: which time it is taught; other texts are drawn each time.
    """
    rng = random.Random(f"{lesson.seed}/texts/{cycle}")
    words = [made.text.embeddings.word_embeddings.weight]
    tower = [part for part in made.text.parameters() if part is not words[0]]
    learning = {"tower": tower, "words": words, "projection": list(made.text_projection.parameters())}
    made.requires_grad_(False)
    for parts in learning.values():
        for part in parts:
            part.requires_grad_(True)
    groups = [{"params": parts, "base": lesson.pace * RATES[name]} for name, parts in learning.items()]
    optimiser = torch.optim.AdamW(groups, lr=1e-4, weight_decay=0.0, betas=(0.9, 0.98))
    every = [part for parts in learning.values() for part in parts]
    average = [part.detach().clone() for part in every]
    matters = _matters(lesson.rows).to(made.device)
    for step in range(lesson.steps):
        for group in optimiser.param_groups:
            group["lr"] = group["base"] * rate(step, lesson.steps, WARM)
        drawn, vectors = lesson.sentences.some(BATCH, rng)
        nouns = [rng.choice((*PHOTO, *WORD)).format(rng.choice(lesson.nouns)) for _ in range(KEPT)]
        with torch.no_grad():
            kept = lesson.before.embed_tokens(texts.tokens(tokenizer, nouns))
        away = embedded(made, tokenizer, [*drawn, *nouns]) - torch.cat([vectors.to(made.device), kept])
        each = ((away @ matters) * away).sum(-1)
        losses = {"named": each[:BATCH].mean(), "kept": each[BATCH:].mean()}
        optimiser.zero_grad()
        (losses["named"] + KEEP * losses["kept"]).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([*tower, *words], 1.0)
        optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, [part.detach() for part in every], 1 - min(AVERAGE, step / (step + 10)))
        yield step + 1, {name: float(value.detach()) for name, value in losses.items()}
    with torch.no_grad():
        for part, mean in zip(every, average, strict=True):
            part.copy_(mean)


def weights(made: Towers) -> dict[str, Tensor]:
    """The text tower's and its projection's, by their names in a checkpoint, on the CPU."""
    tower = {f"text_model.{name}": value.cpu() for name, value in made.text.state_dict().items()}
    return {**tower, "text_projection.weight": made.text_projection.weight.detach().cpu()}


def embedded(made: Towers, tokenizer: Any, every: Sequence[str]) -> Tensor:
    """Texts -> (n, dim) unit rows; short and long ones apart, which saves padding."""
    order = sorted(range(len(every)), key=lambda place: len(every[place]))
    cut = len(order) * 2 // 3
    with made.mixed():
        parts = [[every[place] for place in part] for part in (order[:cut], order[cut:]) if part]
        pooled = [made.pooled(texts.tokens(tokenizer, part)) for part in parts]
    rows = functional.normalize(made.text_projection(torch.cat(pooled)), dim=-1)
    return rows[torch.tensor(order).argsort()]


def _matters(rows: Tensor) -> Tensor:
    """(dim, dim): how much pictures notice a shift along each direction, 1 on average."""
    rows = rows.float()
    spread = rows.T @ rows / len(rows)
    dim = len(spread)
    return EVENLY * torch.eye(dim) + (1 - EVENLY) * dim * spread / spread.trace()
