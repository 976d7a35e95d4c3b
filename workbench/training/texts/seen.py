"""Pictures of every kind as the image tower sees them, with what they show; they are drawn and looked at once.

The image tower stays as it is, so its projection or the text tower can be fitted to what it sees in minutes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from workbench.progress import Progress
from workbench.training import checkpoints
from workbench.training.pocket import painting, towers, views
from workbench.training.pocket.bank import COLOURS, COUNTS, Bank
from workbench.training.pocket.example import TrainingExample
from workbench.training.pocket.material import Material
from workbench.training.pocket.towers import Towers

KINDS = {  # of each 200 pictures
    **{"photo": 60, "blank": 2, "attacked": 16, "noted": 16, "word": 40, "penned": 10},
    **{"drawing": 32, "colour": 12, "count": 5, "pair": 7},
}
NAMES = 24  # that one picture shows, at most
BATCH, SAVE_EVERY = 50, 4000
NONE = -1


@dataclass(frozen=True)
class Seen:
    """What the image tower makes of n pictures, and what they show; names are places in the bank.

    Attributes:
        projection: (dim, channels) into the joint space.
        features: (n, channels) averages of the last map.
        kind: (n,) which of `KINDS`.
        shown: (n, NAMES) names, padded with `NONE`.
        weights: (n, NAMES) how much of the target each of these gets; 0 where there is none.
        soft: (n,) how much of the target the classifier decides instead, 0..1.
        answer: (n, 1000) what it says of the photo, before anything covered it; zeros where there is none.
        label: (n,) the class of a photo without writing, else `NONE`.
        parts: (n, 2) of a word on a thing: word, thing; of a colour or a count: that, and the thing; of a pair: both;
            of a word alone: word, `NONE`. `NONE` where the bank lacks it.
    """

    projection: Tensor
    features: Tensor
    kind: Tensor
    shown: Tensor
    weights: Tensor
    soft: Tensor
    answer: Tensor
    label: Tensor
    parts: Tensor

    def embedded(self, which: Tensor) -> Tensor:
        """These pictures, projected; (m, dim) unit rows."""
        return functional.normalize(self.features[which].float() @ self.projection.T, dim=-1)

    def of(self, *kinds: str) -> Tensor:
        """Which pictures are of these kinds, (m,)."""
        wanted = torch.tensor([list(KINDS).index(kind) for kind in kinds])
        return torch.isin(self.kind, wanted).nonzero()[:, 0]

    def target(self, which: Tensor, bank: Bank) -> Tensor:
        """(m, names): what these are to be answered with; a row sums to 1, or to 0 where the bank has none of it."""
        own = torch.zeros(len(which), len(bank.names) + 1)
        own.scatter_add_(1, self.shown[which].where(self.shown[which] >= 0, len(bank.names)), self.weights[which])
        soft = self.soft[which, None]
        return (1 - soft) * own[:, :-1] + soft * (self.answer[which].float() @ bank.spread)


@dataclass(frozen=True)
class Pictures(Dataset[list[tuple[str, TrainingExample]]]):
    """Batches of drawn pictures with their kinds, each of which depends on the seed and its number alone.

    Attributes:
        material: what is drawn from.
        seed: decides all of them.
        start: number of the first.
        count: number after the last.
        kinds: how often each kind comes, in parts of all.
        batch: pictures at once.
        size: pixels a side.
    """

    material: Material
    seed: int
    start: int
    count: int
    kinds: Mapping[str, int]
    batch: int
    size: int

    def __len__(self) -> int:
        return -(-(self.count - self.start) // self.batch)

    def __getitem__(self, batch: int) -> list[tuple[str, TrainingExample]]:
        first = self.start + batch * self.batch
        return [self._one(number) for number in range(first, min(first + self.batch, self.count))]

    def _one(self, number: int) -> tuple[str, TrainingExample]:
        rng = random.Random(f"{self.seed}/seen/{number}")
        (kind,) = rng.choices(list(self.kinds), list(self.kinds.values()))
        return kind, painting.example(self.material, kind, size=self.size, done=1.0, rng=rng)


def see(made: Towers, locked: Any, pictures: Pictures, *, folder: Path) -> Iterator[Progress | Seen]:
    """Draw pictures and look at them, from wherever `folder` left it: yields progress, then all of them.

    Args:
        made: whose image tower looks.
        locked: the folded classifier that says what photos show.
        pictures: all of them, in batches.
        folder: for checkpoints.
    """
    done, count = checkpoints.latest(folder), pictures.count
    parts: list[dict[str, Tensor]] = [] if done is None else [checkpoints.load(done)["seen"]]
    have = sum(len(part["kind"]) for part in parts)
    if have < count:
        missing = replace(pictures, start=have)
        for batch in DataLoader(missing, batch_size=None, num_workers=1, prefetch_factor=4):
            parts.append(_batch(made, locked, batch, pictures.material.bank))
            have += len(batch)
            if have % SAVE_EVERY < pictures.batch or have == count:
                parts = [_joined(parts)]
                checkpoints.save(folder, have, {"seen": parts[0]}, keep=1)
            yield Progress(have, count, "pictures")
    projection = made.visual_projection.weight.detach().cpu()
    yield Seen(projection, **{name: value[:count] for name, value in _joined(parts).items()})


def _joined(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


@torch.inference_mode()
def _batch(made: Towers, locked: Any, batch: Sequence[tuple[str, TrainingExample]], bank: Bank) -> dict[str, Tensor]:
    """One batch, looked at."""
    examples = [example for _, example in batch]
    covered = [one.clean for one in examples if one.clean is not None]
    photos = [k for k, one in enumerate(examples) if one.label >= 0]
    under = [k for k, one in enumerate(examples) if one.clean is not None]
    with made.mixed():
        maps = made.early(views.pixels([*(one.picture for one in examples), *covered]))
        features = made.features(maps[: len(batch)]).float()
        known = towers.late(locked, torch.cat([maps[photos], maps[len(batch) :]]), made.frozen).float()
    answer = torch.zeros(len(batch), locked.classifier.out_features)
    answer[photos + under] = locked.classifier(known).softmax(-1).cpu()
    shown, weights = torch.full((len(batch), NAMES), NONE), torch.zeros(len(batch), NAMES)
    for row, one in enumerate(examples):
        best = sorted(((w, bank.place[n]) for n, w in one.weights.items() if n in bank.place), reverse=True)[:NAMES]
        for spot, (weight, place) in enumerate(best):
            shown[row, spot], weights[row, spot] = place, weight / sum(w for w, _ in best)
    return {
        "features": features.cpu().half(),
        "kind": torch.tensor([list(KINDS).index(kind) for kind, _ in batch]),
        "shown": shown,
        "weights": weights,
        "soft": torch.tensor([one.soft for one in examples]),
        "answer": answer.half(),
        "label": torch.tensor([one.label for one in examples]),
        "parts": torch.tensor([_parts(kind, one, bank) for kind, one in batch]),
    }


def _parts(kind: str, example: TrainingExample, bank: Bank) -> tuple[int, int]:
    """The two names that a picture is made of."""
    weights, first = example.weights, example.written
    if kind in ("colour", "count"):
        first = next(name for name in (COLOURS if kind == "colour" else COUNTS) if name in weights)
    elif kind == "pair":
        first = next(iter(weights))
    rest: dict[str, float] = {
        name: w for name, w in weights.items() if name != first and not name.startswith(f"{first} ")
    }
    second = max(rest, key=rest.__getitem__, default="")
    return bank.place.get(first, NONE) if first else NONE, bank.place.get(second, NONE) if first else NONE
