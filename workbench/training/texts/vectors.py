"""Where each name is to lie: vectors fitted to what the image tower sees, free of any text tower.

A name has three: by itself, as a photo's and as a drawing's. Colours and counts are vectors to be added to a thing's,
and a pair lies between its two things. They begin where the text tower has them and move no farther than
the pictures ask for, so that the thousand photos are not learned by heart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields

import torch
from torch import Tensor
from torch.nn import functional

from workbench.training.pocket.bank import COLOURS, COUNTS, Bank
from workbench.training.texts.seen import Seen

FORMS = {"bare": "{}", "photo": "a photo of a {}.", "drawn": "an emoji of a {}"}
RATES = {"tables": 1e-3, "parts": 5e-3}
MANY, SOME, FEW = 1500, 750, 300  # pictures of a kind in a step
OWN = 0.9  # of a photo's answer is what the model says of it already
BEATS = {"attacked": 0.97, "noted": 0.99}  # how sure a word on a thing is to beat the thing
WEIGHTS = {
    **{"read": 1.0, "read as photo": 1.0, "read on things": 1.0, "photo": 4.0, "photo bare": 0.5, "beats": 8.0},
    **{"covered bare": 0.3, "drawing": 1.5, "colour": 1.5, "count": 0.3, "pair": 0.3, "alone": 0.15},
    "synonyms": 40.0,
}
STAY = {"bare": 22.0, "photo": 11.0, "drawn": 66.0}  # against the mean squared way from where they began
WARM = 20  # steps
HALF = 0.5  # of the weight, for a question that is asked of bare names, too


@dataclass(frozen=True)
class Vectors:
    """Unit rows for n names, and what is added for the rest.

    Attributes:
        bare: (n, dim) of names by themselves.
        photo: (n, dim) of "a photo of a NAME.".
        drawn: (n, dim) of "an emoji of a NAME".
        colour: (11, dim) added to a thing's.
        count: (5, dim) added to a thing's.
        pair: (dim,) added to the sum of two things.
    """

    bare: Tensor
    photo: Tensor
    drawn: Tensor
    colour: Tensor
    count: Tensor
    pair: Tensor

    def coloured(self, colour: Tensor, thing: Tensor) -> Tensor:
        """Unit rows of coloured things; colours 0..10, things as places."""
        return functional.normalize(self.photo[thing] + self.colour[colour], dim=-1)

    def counted(self, count: Tensor, thing: Tensor) -> Tensor:
        """Unit rows of counted things; counts 0 (one) to 4 (five), things as places."""
        return functional.normalize(self.photo[thing] + self.count[count], dim=-1)

    def paired(self, one: Tensor, other: Tensor) -> Tensor:
        """Unit rows of pairs of things, as places; (n, dim)."""
        return functional.normalize(self.photo[one] + self.photo[other] + self.pair, dim=-1)

    @classmethod
    def begun(cls, tables: dict[str, Tensor]) -> Vectors:
        """Vectors of names from a text tower, nothing added for the rest."""
        dim = tables["bare"].shape[1]
        return cls(
            **tables, colour=torch.zeros(len(COLOURS), dim), count=torch.zeros(len(COUNTS), dim), pair=torch.zeros(dim)
        )


@dataclass(frozen=True)
class Goals:
    """What pictures want of vectors, and how much.

    Attributes:
        scale: of cosines: as the model has it, and while vectors are fitted.
        own: how much of a photo's answer is what the model says of it already, 0..1; the rest is the classifier's
            and its label's.
        beats: how sure a word on a thing is to beat the thing, 0..1, by kind of picture.
        weights: of the questions' losses.
    """

    scale: tuple[float, float]
    own: float = OWN
    beats: Mapping[str, float] = field(default_factory=lambda: BEATS)
    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)


@dataclass(frozen=True)
class Choices:
    """What a picture is told from, as places in the bank; of words and pictured names ascending.

    Attributes:
        bank: all names.
        first: (1000,) the first name of each class.
        read: single words.
        pictured: names that pictures show.
        colours: (11,) in their own order.
        counts: (5,) likewise.
        synonyms: (n, 2) of names that mean one class alone, each with the first name of that class.
    """

    bank: Bank
    first: Tensor
    read: Tensor
    pictured: Tensor
    colours: Tensor
    counts: Tensor
    synonyms: Tensor

    @classmethod
    def of(cls, bank: Bank, first: Tensor) -> Choices:
        """All of a bank; `first` as the material has it."""
        read = sorted(bank.place[name] for name in {*bank.words, *bank.things} if name in bank.place)
        unseen = set(bank.things)
        pictured = [place for place, name in enumerate(bank.names) if name not in unseen]
        colours, counts = (torch.tensor([bank.place[name] for name in names]) for names in (COLOURS, COUNTS))
        of_first = ((bank.place[name], int(first[number])) for number, every in bank.synonyms.items() for name in every)
        synonyms = sorted((other, one) for other, one in of_first if other != one)
        alike = torch.tensor(synonyms, dtype=torch.long).reshape(-1, 2)
        return cls(bank, first, torch.tensor(read), torch.tensor(pictured), colours, counts, alike)


def fit(
    seen: Seen, start: Vectors, *, choices: Choices, goals: Goals, steps: int, seed: int
) -> Iterator[tuple[int, dict[str, float]] | Vectors]:
    """Fit vectors to pictures: yields (steps done, losses) after each step, then the vectors.

    Args:
        seen: the pictures.
        start: where the vectors begin.
        choices: what pictures are told from.
        goals: what pictures want of vectors.
        steps: how many.
        seed: of which pictures each step asks.
    """
    generator = torch.Generator().manual_seed(seed)
    free = {one.name: getattr(start, one.name).clone().requires_grad_() for one in fields(Vectors)}
    tables, parts = [free[name] for name in FORMS], [free[name] for name in free if name not in FORMS]
    optimiser = torch.optim.Adam(
        [{"params": tables, "base": RATES["tables"]}, {"params": parts, "base": RATES["parts"]}]
    )
    questions = Questions(seen, choices, answers(seen, start, choices, goals=goals), goals, generator)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = group["base"] * min(1, (step + 1) / WARM) * (1 - step / steps)
        now = _unit(free)
        losses = {**questions.losses(now), "synonyms": _apart(now, choices.synonyms)}
        total = sum(goals.weights[name] * value for name, value in losses.items())
        for name, weight in STAY.items():
            total = total + weight * (free[name] - getattr(start, name)).square().sum(-1).mean()
        optimiser.zero_grad()
        total.backward()  # type: ignore[union-attr]
        optimiser.step()
        yield step + 1, {name: float(value.detach()) for name, value in losses.items()}
    yield _unit({name: value.detach() for name, value in free.items()})


def _unit(free: dict[str, Tensor]) -> Vectors:
    return Vectors(**{name: functional.normalize(one, dim=-1) if name in FORMS else one for name, one in free.items()})


def _apart(now: Vectors, synonyms: Tensor) -> Tensor:
    """How far the other names of a class lie from its first, 1 less the cosine; the first stays."""
    other, first = synonyms.T
    cosines = [(one[other] * one[first].detach()).sum(-1) for one in (now.bare, now.photo, now.drawn)]
    return (1 - torch.stack(cosines)).sum() / max(1, 3 * len(other))


def answers(seen: Seen, start: Vectors, choices: Choices, *, goals: Goals) -> Tensor:
    """(photos, 1000): what each photo is to be answered with, which is in part what `start` says of it."""
    photos = seen.of("photo")
    rows, soft = seen.embedded(photos), seen.soft[photos, None]
    labels = functional.one_hot(seen.label[photos], len(choices.first))
    answer = soft * seen.answer[photos].float() + (1 - soft) * labels
    own = (goals.scale[0] * rows @ start.photo[choices.first].T).softmax(-1)
    return goals.own * own + (1 - goals.own) * answer / answer.sum(-1, keepdim=True)


@dataclass(frozen=True)
class Questions:
    """What pictures ask of vectors, a few of each kind at a time.

    Attributes:
        seen: the pictures.
        choices: what pictures are told from.
        answers: (photos, 1000) what each photo is to be answered with.
        goals: what they want.
        generator: draws the pictures.
    """

    seen: Seen
    choices: Choices
    answers: Tensor
    goals: Goals
    generator: torch.Generator

    def losses(self, now: Vectors) -> dict[str, Tensor]:
        """Every question, the mean over its pictures; the names are among those of `WEIGHTS`."""
        return self._words(now) | self._photos(now) | self._drawings(now) | self._scenes(now) | self._pairs(now)

    def _words(self, now: Vectors) -> dict[str, Tensor]:
        """Which word is written, alone or on a thing; and does it beat the thing?"""
        alone, covered = self._some(MANY, "word", "penned"), self._some(SOME, "attacked", "noted")
        losses = {"read": self._read(alone, now.bare), "read as photo": self._read(alone, now.photo)}
        losses["read on things"] = self._read(covered, now.photo)
        target = self.seen.target(covered, self.choices.bank)
        losses["covered bare"] = self._named(self.seen.embedded(covered), now.bare, target)
        beats = []
        for kind, sure in self.goals.beats.items():
            some = self._whole(self._some(SOME // 2, kind))
            word, thing = self.seen.parts[some].T
            ahead = self.goals.scale[1] * (self.seen.embedded(some) * (now.photo[word] - now.photo[thing])).sum(-1)
            beats.append(functional.binary_cross_entropy_with_logits(ahead, torch.full_like(ahead, sure)))
        return {**losses, "beats": torch.stack(beats).mean()}

    def _photos(self, now: Vectors) -> dict[str, Tensor]:
        """Which class a photo is of, and which of all names it shows."""
        photos = self.seen.of("photo")
        which = torch.randperm(len(photos), generator=self.generator)[:MANY]
        rows, answers, first = self.seen.embedded(photos[which]), self.answers[which], self.choices.first
        target = self.seen.target(photos[which], self.choices.bank)[:, self.choices.pictured]
        bare = self._named(rows, now.bare[first], answers)
        bare = bare + HALF * self._named(rows, now.bare[self.choices.pictured], target)
        return {"photo": self._named(rows, now.photo[first], answers), "photo bare": bare}

    def _drawings(self, now: Vectors) -> dict[str, Tensor]:
        """What is drawn."""
        drawn, among = self._some(SOME, "drawing"), self.choices.pictured
        rows, target = self.seen.embedded(drawn), self.seen.target(drawn, self.choices.bank)[:, among]
        named = self._named(rows, now.drawn[among], target)
        for table in (now.bare, now.photo):
            named = named + HALF * self._named(rows, table[among], target)
        return {"drawing": named}

    def _scenes(self, now: Vectors) -> dict[str, Tensor]:
        """Which colour a thing has, and how many there are."""
        losses = {}
        scenes = {"colour": (self.choices.colours, now.coloured), "count": (self.choices.counts, now.counted)}
        for kind, (places, phrased) in scenes.items():
            some = self._whole(self._some(FEW, kind))
            right = (self.seen.parts[some, :1] == places).long().argmax(1)
            texts = phrased(torch.arange(len(places))[None], self.seen.parts[some, 1:])
            losses[kind] = self._chosen(some, texts, right)
        return losses

    def _pairs(self, now: Vectors) -> dict[str, Tensor]:
        """Are there two things, and which; is there one?"""
        both, photos, first = self._whole(self._some(FEW, "pair")), self._some(FEW, "photo"), self.choices.first
        one, two = self.seen.parts[both].T
        other = one.roll(1)
        single = now.photo[one], now.photo[two]
        texts = torch.stack([now.paired(one, two), *single, now.paired(one, other), now.paired(other, two)], 1)
        thing = first[self.seen.label[photos]]
        stranger = first[torch.randint(len(first), photos.shape, generator=self.generator)]
        alone = torch.stack([now.photo[thing], now.paired(thing, stranger)], 1)
        return {
            name: self._chosen(which, rows, torch.zeros_like(which))
            for name, which, rows in (("pair", both, texts), ("alone", photos, alone))
        }

    def _some(self, count: int, *kinds: str) -> Tensor:
        """Some pictures of these kinds, (up to count,)."""
        which = self.seen.of(*kinds)
        return which[torch.randperm(len(which), generator=self.generator)[:count]]

    def _whole(self, which: Tensor) -> Tensor:
        """Those of which the bank has both parts."""
        return which[(self.seen.parts[which] >= 0).all(1)]

    def _read(self, which: Tensor, table: Tensor) -> Tensor:
        """Which of all words to read is written on these?"""
        which = which[self.seen.parts[which, 0] >= 0]
        right = torch.searchsorted(self.choices.read, self.seen.parts[which, 0])
        logits = self.goals.scale[1] * self.seen.embedded(which) @ table[self.choices.read].T
        return functional.cross_entropy(logits, right)

    def _named(self, rows: Tensor, table: Tensor, target: Tensor) -> Tensor:
        """Rows (n, dim) are to be answered with targets (n, names) over a table (names, dim)."""
        return -(target * (self.goals.scale[1] * rows @ table.T).log_softmax(-1)).sum(-1).mean()

    def _chosen(self, which: Tensor, texts: Tensor, right: Tensor) -> Tensor:
        """These n pictures are to choose the right one of their texts, (n, choices, dim)."""
        logits = self.goals.scale[1] * torch.einsum("nd,nkd->nk", self.seen.embedded(which), texts)
        return functional.cross_entropy(logits, right)
