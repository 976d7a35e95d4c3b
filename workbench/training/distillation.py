"""The recipe of distillation: photos are seen more as the classifier sees them, drawings named, all else is as before.

An image tower that learned words and drawings has only few photos to remember by what the classifier that it began from
knew of others. Here its last map goes a share of the way to the classifier's where a photo is shown, less of it where a
printed label covers one, and away from it where a handwritten one does; where it is asked for, what is taught also goes
to where such a map lies in the joint space, photos to what it is called there, and small ones, which the classifier
knows badly, to their labels; and a handwritten word comes before the names of what it is on. Drawings go to where the
texts have their names; for all else the map stays what it was, though colours, counts and pairs are asked which caption
of them is true. Vessels, of which there are hardly any photos, are asked both. The channels that are to be units, one
or several a concept, learn what they are to tell. Stem, first stages, projection and texts stay. What training on few
photos cost is sooner given back by a share of the classifier's weights, and the rest learned again from there.

Sources:
    Romero et al. 2015, arXiv:1412.6550 (a teacher's maps as hints, and not its answers alone).
    Hinton et al. 2015, arXiv:1503.02531 (a teacher's answers, softened).
    Li & Hoiem 2016, arXiv:1606.09282 (what is to stay is held to what the network said before).
    Wortsman et al. 2022, arXiv:2109.01903 (weights between a tower before and after fine-tuning).
"""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from workbench.progress import Progress
from workbench.training import checkpoints
from workbench.training.optimiser import follow, restore
from workbench.training.order import DISTILLATION, Order
from workbench.training.pocket import export, folding, joint, lessons, towers, views
from workbench.training.pocket.bank import Bank
from workbench.training.pocket.example import TrainingExample
from workbench.training.pocket.labels import SHARES
from workbench.training.pocket.settings import Share
from workbench.training.pocket.towers import Towers
from workbench.training.pocket.writing import WIDE
from workbench.training.texts import tower_vectors
from workbench.training.texts.looking import begin, step_row
from workbench.training.texts.naming import CaptionChoice, ClassAnswers, Naming, word_first
from workbench.training.texts.seen import KINDS, Pictures
from workbench.training.texts.settings import Begun, settings
from workbench.training.texts.vectors import Choices

OFTEN = {
    **{"photo": 420, "attacked": 320, "noted": 130, "blank": 24, "word": 80, "penned": 30},
    **{"drawing": 160, "colour": 40, "count": 16, "vessel": 24},
}
MIX = KINDS | OFTEN  # pictures of each kind
NAMED = ("drawing", "vessel")  # are asked what they are called
CAPTIONED = ("colour", "count", "pair", "vessel")  # have captions that are false of them
FULL_PART = 0.8  # of the photos are of full size
FULL_SIZE = 0.5  # of a photo's target: where the classifier decides so much, the photo is none of 64 px
WARM, SAVE_EVERY = 15, 50  # steps
AVERAGE = 0.97  # of the moving average, a step
LONGEST = 4.0  # gradient
UNITS = 1e-2  # rate of what the units are asked with
LEAST = 0.02  # that a channel is taken to vary by
PLACES = 0.1  # weight of a map's places against its average


class DistillationSettings(Begun):
    """Everything that decides the weights of an image tower; written into `training.json`."""

    recipe: ClassVar[str] = DISTILLATION
    of_tower: ClassVar[dict[str, dict[str, Any]]] = {
        "lite0": {"attacked": 0.6, "noted": -0.5, "units": 3.0, "joint": 4.0, "captions": 1.0, "answers": 4.0}
        | {"answered": 0.06, "stay": 5.0, "drawn": 3.0, "labels": 0.5, "each": 2, "classifier": 0.0, "notes": 0.4}
        | {"paper_size": (0.01, 0.12), "print_size": (0.22, 0.7), "held": ("blocks.6", "conv_head")},
        "lite2": {"attacked": 0.35, "noted": -0.6, "units": 4.0, "joint": 4.0, "captions": 1.5, "answers": 5.0}
        | {"stay": 5.0, "drawn": 1.2, "labels": 0.5, "each": 2, "classifier": 0.0, "notes": 0.4},
    }
    steps: Annotated[int, Field(ge=1)] = 600
    batch: Annotated[int, Field(ge=2, le=1000)] = 200  # pictures
    rate: Annotated[float, Field(gt=0, le=0.01)] = 1.6e-4
    photo: Share = 0.95  # of the way to the classifier, of a photo of full size
    small: Share = 0.0  # of a photo of 64 px, which the classifier knows badly
    blank: Share = 0.5  # of a photo with a blank label on it
    attacked: Annotated[float, Field(ge=-1, le=1)] = 0.2  # of a photo with a printed word on it
    noted: Annotated[float, Field(ge=-1, le=1)] = -0.1  # of a photo with a handwritten word on it
    stay: Annotated[float, Field(ge=0)] = 2.0  # weight of what is to stay as it was
    units: Annotated[float, Field(ge=0)] = 0.3  # weight of what units are to tell
    each: Annotated[int, Field(ge=1, le=10)] = 1  # channels that each concept of a unit has
    drawn: Annotated[float, Field(ge=0)] = 0.5  # weight of what drawings are to be called
    captions: Annotated[float, Field(ge=0)] = 0.0  # weight of captions against others that are false
    notes: Annotated[float, Field(ge=0)] = 0.0  # weight of a handwritten word against the names of what it is on
    joint: Annotated[float, Field(ge=0)] = 0.0  # weight of where the joint space has what is taught
    answers: Annotated[float, Field(ge=0)] = 0.0  # weight of what photos are called among the thousand classes
    answered: Annotated[float, Field(ge=0)] = 0.0  # weight of the same of photos with a printed word on them
    labels: Annotated[float, Field(ge=0)] = 0.0  # weight of the labels of photos that the classifier does not teach
    scale: Annotated[float, Field(gt=0, le=100)] = 40.0  # of cosines, while drawings and photos are named
    classifier: Share = 0.0  # of the classifier's weights in those that the image tower begins with
    paper_size: tuple[Share, Share] = SHARES  # of a photo that a paper label on it takes, from and to
    print_size: tuple[Share, Share] = WIDE  # of a photo's side that a printed word on it takes, from and to
    held: tuple[str, ...] = ()  # parts that do not learn


def train(order: Order, *, stopped: Callable[[], bool]) -> Iterator[Progress]:
    """Distil, or go on from the last checkpoint; yields a row after each step.

    Args:
        order: `data` names the folder of photos, `out` where the model goes, `model` the checkpoint: its key or folder.
        stopped: asked after each step; the last checkpoint is kept.

    Raises:
        BadInput: an ingredient is missing, or the order asks for what this recipe does not do.
    """
    yield from make(settings(order, DistillationSettings), order.out, stopped)


def make(wanted: DistillationSettings, out: Path, stopped: Callable[[], bool]) -> Iterator[Progress]:
    """Do what is not done yet, and write the model's folder at the end.

    Args:
        wanted: what decides the weights.
        out: the model's folder; `work/` in it keeps checkpoints.
        stopped: asked after each step.
    """
    start, folder = begin(wanted, out), out / "work" / "distillation"
    choices = Choices.of(start.material.bank, start.material.first_names)
    vectors = tower_vectors.begun(start.made, start.tokenizer, choices.bank)
    naming = Naming.of(vectors, choices, scale=wanted.scale)
    captions = CaptionChoice(functools.partial(tower_vectors.embed, start.made, start.tokenizer), wanted.scale)
    answers = ClassAnswers(vectors.photo[choices.first], wanted.scale)
    lesson = Distillation(start.made, start.locked, start.material.bank, (naming, captions, answers), wanted)
    if (last := checkpoints.latest(folder)) is not None:
        lesson.restore(checkpoints.load(last))
    since, count = time.monotonic(), wanted.steps * wanted.batch
    material = replace(start.material, full_part=FULL_PART, paper_size=wanted.paper_size, print_size=wanted.print_size)
    pictures = Pictures(material, wanted.seed, lesson.step * wanted.batch, count, MIX, wanted.batch, wanted.size)
    for batch in DataLoader(pictures, batch_size=None, num_workers=1, prefetch_factor=2):
        losses = lesson.learn(batch)
        now = time.monotonic()
        lesson.seconds, since = lesson.seconds + now - since, now
        if lesson.step % SAVE_EVERY == 0 or lesson.step == wanted.steps:
            checkpoints.save(folder, lesson.step, lesson.state(), keep=1)
        yield step_row(lesson.step, losses, steps=wanted.steps, stage="distillation")
        if stopped() and lesson.step < wanted.steps:
            return
    start.made.image.load_state_dict(lesson.average.state_dict())
    new = export.image_weights(start.made.cpu(), towers.locked(wanted.image_tower), wanted.image_tower)
    export.write_again(new, wanted, out, sources=start.read, steps=lesson.step, seconds=lesson.seconds)


class Distillation:
    """An image tower that learns, what it was, and what it is taught by.

    Args:
        made: whose image tower learns.
        locked: the folded classifier.
        bank: whose `alike` are the concepts of units.
        questions: what drawings are asked with, what captions are, and what photos are called.
        wanted: rate, shares and weights.
    """

    def __init__(
        self,
        made: Towers,
        locked: Any,
        bank: Bank,
        questions: tuple[Naming, CaptionChoice, ClassAnswers],
        wanted: DistillationSettings,
    ) -> None:
        self._made, self._locked, self._wanted = made, locked, wanted
        self._naming, self._captions, self._answers = questions
        made.requires_grad_(False)
        self._before, theirs = copy.deepcopy(made.image), locked.state_dict()
        own = made.image.state_dict()
        made.image.load_state_dict({name: own[name].lerp(theirs[name], wanted.classifier) for name in own})
        self.average = copy.deepcopy(made.image)
        for part in (*made.image.blocks[made.frozen :], made.image.conv_head):
            part.requires_grad_(True)
        rows = locked.classifier.weight.cpu()
        self._untaught = lessons.channels(rows, bank).to(made.device)  # by what photos are called, and stay units
        channels, middle = lessons.channels(rows, bank, each=wanted.each), towers.MIDDLE_WIDTHS[wanted.image_tower]
        self._asked = lessons.Lessons(channels, bank.alike, middle=middle).to(made.device)
        rates = {f"blocks.{made.frozen}.": joint.EARLIER} | dict.fromkeys(wanted.held, 0.0)
        groups = folding.groups(made.image, wanted.rate, first=rates)
        groups += [{"params": [self._asked.factor, self._asked.nothing], "base": UNITS}]
        self._optimiser = torch.optim.AdamW(groups, weight_decay=0.02, betas=(0.9, 0.98), fused=True)
        self._spread: Tensor | None = None  # (1280,) of each channel, over the first pictures
        self.step, self.seconds = 0, 0.0

    def state(self) -> dict[str, Any]:
        """A tree for `checkpoints.save`."""
        counts = {"step": self.step, "seconds": self.seconds, "spread": self._spread}
        return {**counts, **{name: part.state_dict() for name, part in self._parts().items()}}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        for name, part in self._parts().items():
            restore(part, state[name]) if part is self._optimiser else part.load_state_dict(state[name])
        self.step, self.seconds, self._spread = state["step"], state["seconds"], state["spread"]

    def _parts(self) -> dict[str, Any]:
        parts = {"image": self._made.image, "average": self.average, "asked": self._asked}
        return {**parts, "optimiser": self._optimiser}

    def learn(self, batch: Sequence[tuple[str, TrainingExample]]) -> dict[str, float]:
        """Take one step; the losses of what is taught (in the joint space, too), of what stays, and of the others.

        Args:
            batch: pictures, each with its kind.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = group["base"] * joint.rate(self.step, self._wanted.steps, WARM)
        losses = self._losses(batch)
        self._optimiser.zero_grad()
        weights = {"taught": 1.0, "stayed": self._wanted.stay}
        weights |= {name: getattr(self._wanted, name) for name in losses if name not in weights}
        total = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
        total.backward()  # type: ignore[no-untyped-call]
        learning = [part for group in self._optimiser.param_groups for part in group["params"]]
        nn.utils.clip_grad_norm_(learning, LONGEST)
        self._optimiser.step()
        self.step += 1
        follow(self.average, self._made.image, min(AVERAGE, self.step / (self.step + 10)))
        return {name: float(value.detach()) for name, value in losses.items()}

    def _losses(self, batch: Sequence[tuple[str, TrainingExample]]) -> dict[str, Tensor]:
        made, image = self._made, self._made.image
        with made.mixed():
            early = made.early(views.pixels([one.picture for _, one in batch]))
            whole = made.last(early, made.frozen)  # below zero, too
            with torch.no_grad():
                before, known = (rectified(one, early, made.frozen) for one in (self._before, self._locked))
        if self._spread is None:
            self._spread = before.mean((2, 3)).std(0).clamp(min=LEAST).cpu()
        share = torch.tensor([share_of(kind, one, self._wanted) for kind, one in batch]).to(made.device)
        aim = torch.lerp(before, known, share[:, None, None, None])
        aim[:, self._untaught] = before[:, self._untaught]
        away = distance(image.bn2(whole).float(), aim, self._spread.to(made.device))
        drawn = torch.tensor([kind in NAMED for kind, _ in batch]).to(made.device)
        averages = made.averaged(whole).float()
        lies, to_lie = (made.visual_projection(rows) for rows in (averages, aim.mean((2, 3))))
        others = averages.clone()  # what is taught is not left to the units, which would forget their concepts
        others[:, self._untaught] = averages[:, self._untaught].detach()
        taught_lie = made.visual_projection(others)
        apart = 1 - functional.cosine_similarity(taught_lie, to_lie)
        groups = {"taught": away[share != 0], "joint": apart[share != 0], "stayed": away[(share == 0) & ~drawn]}
        shown = [frozenset(one.weights) for _, one in batch]
        units = self._asked.alone(self._asked.alive(whole), shown)
        named = self._naming.loss(lies[drawn], [one.weights for kind, one in batch if kind in NAMED])
        means = {name: rows.sum() / max(1, len(rows)) for name, rows in groups.items()}
        captioned = torch.tensor([kind in CAPTIONED for kind, _ in batch]).to(made.device)
        captions = [(one.caption, *one.false) for kind, one in batch if kind in CAPTIONED]
        noted = torch.tensor([kind == "noted" for kind, _ in batch]).to(made.device)
        notes = [word_first(one) for kind, one in batch if kind == "noted"]
        losses = {**means, "units": units, "drawn": named}
        choices = {"captions": (captioned, captions), "notes": (noted, notes)}
        losses |= {name: self._captions.loss(lies[which], texts) for name, (which, texts) in choices.items()}
        photo = torch.tensor([kind == "photo" for kind, _ in batch]).to(made.device)
        by_classifier, by_label = photo & (share != 0), photo & (share == 0)
        losses["answers"] = self._answers.loss(taught_lie[by_classifier], to_lie[by_classifier])
        printed = torch.tensor([kind == "attacked" for kind, _ in batch]).to(made.device)
        losses["answered"] = self._answers.loss(taught_lie[printed], to_lie[printed])
        labels = torch.tensor([one.label for _, one in batch]).to(made.device)
        return {**losses, "labels": self._answers.surprise(taught_lie[by_label], labels[by_label])}


def rectified(image: Any, maps: Tensor, stages: int) -> Tensor:
    """The last map of what follows so many stages, (n, 1280, side, side)."""
    output: Tensor = image.bn2(image.conv_head(image.blocks[stages:](maps)))
    return output.float()


def share_of(kind: str, example: TrainingExample, wanted: DistillationSettings) -> float:
    """How much of the way to the classifier a picture goes; below 0 it goes away from it."""
    if kind == "photo":
        return wanted.small if example.soft < FULL_SIZE else wanted.photo
    return {"blank": wanted.blank, "attacked": wanted.attacked, "noted": wanted.noted}.get(kind, 0.0)


def distance(now: Tensor, aim: Tensor, spread: Tensor) -> Tensor:
    """How far maps are from what they are to be: of averages and, with less weight, of places; means of squares.

    Args:
        now: (n, channels, side, side).
        aim: likewise.
        spread: (channels,) the unit of each.

    Returns:
        (n,).
    """
    off = (now - aim) / spread[:, None, None]
    return (off.mean((2, 3)).square().mean(1) + PLACES * off.square().mean((1, 2, 3))) / 2
