"""Stage two: both towers learn words, drawings, colours and counts, and keep what the classifier knows of photos.

The bank holds a vector for every name, refreshed every `REFRESH` steps from the text tower; an image is classified
among all names. Photos are also held to the locked classifier's soft answer and to the locked embedding.

Sources:
    Radford et al. 2021, arXiv:2103.00020 (the symmetric loss over a batch).
    Wortsman et al. 2022, arXiv:2109.01903 (averaging weights keeps what was known before).
"""

from __future__ import annotations

import copy
import itertools
import math
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from workbench.training import checkpoints
from workbench.training.optimiser import follow, restore
from workbench.training.pocket import folding
from workbench.training.pocket.encoding import Encoder, encode_images
from workbench.training.pocket.lessons import Lessons
from workbench.training.pocket.losses import Teachers, embed_names, image_losses, text_losses
from workbench.training.pocket.material import Material
from workbench.training.pocket.parallel import DataParallel, worker_count
from workbench.training.pocket.stream import Batch, Stream
from workbench.training.pocket.towers import Towers

REFRESH = 200  # steps a bank lives
PAINTERS = 8  # processes that make pictures for a GPU; on two cores one is busy for a tenth of the time
SAY_EVERY = 2  # steps; texts are asked in one of so many
AVERAGE = 0.997  # of the moving average, a step
WARM = 150  # steps
RATES = {"lessons": 1e-3, "image": 4e-4, "image projection": 3e-4, "text": 1e-4, "text projection": 2e-4}
PACES = (1.0, 1.0, 0.75)  # of the rates, in the run and in its endings
EARLIER = 0.7  # of the rate, for the first stage that learns
WEIGHTS = {
    **{"named": 1.0, "matched": 0.6, "taught": 2.5, "stayed": 8.0, "placed": 2.0, "like": 2.0},
    **{"lettered": 1.0, "spelt": 0.1, "alone": 1.0},
}
IMAGE = ("image.", "visual_projection.")  # how the names of the image tower's weights begin
TEXT_LAYERS = 2  # of the text tower that learn, the last ones


@dataclass(frozen=True)
class Plan:
    """How long a run goes, how large its pictures are, and where it begins.

    Attributes:
        steps: of the run without its endings.
        sizes: pixels for each equal part of those, one of which is chosen for a batch.
        seed: decides pictures and words.
        every: so many steps between checkpoints.
        endings: steps of each part after those, with a mix and rates of its own.
    """

    steps: int
    sizes: tuple[tuple[int, ...], ...]
    seed: int
    every: int = 150
    endings: tuple[int, ...] = ()

    @property
    def ends(self) -> tuple[int, ...]:
        """Where each part ends: the run, then its endings."""
        return tuple(itertools.accumulate((self.steps, *self.endings)))

    @property
    def whole(self) -> int:
        """Steps of the run and its endings."""
        return self.ends[-1]

    def end(self, step: int) -> int:
        """Where the part ends that this step is in."""
        return next(end for end in self.ends if step < end)

    def rate(self, step: int) -> float:
        """Of the full rate, before that step: up and down in the run, and once more in each ending."""
        end = self.end(step)
        place = self.ends.index(end)
        before = self.ends[place - 1] if place else 0
        return PACES[place] * rate(step - before, end - before)


@dataclass
class JointRun:
    """All that a step changes; what a checkpoint holds."""

    towers: Towers
    average: Towers
    lessons: Lessons
    optimiser: torch.optim.Optimizer
    step: int = 0
    bank: Tensor | None = None  # a vector for every name, as it was when it was last refreshed
    seconds: float = 0.0  # that these steps took, pauses apart

    def state(self) -> dict[str, Any]:
        """A tree for `checkpoints.save`."""
        parts: dict[str, Any] = {
            "towers": self.towers,
            "average": self.average,
            "lessons": self.lessons,
            "optimiser": self.optimiser,
        }
        counts = {"step": self.step, "bank": self.bank, "seconds": self.seconds}
        return {**counts, **{name: part.state_dict() for name, part in parts.items()}}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.towers.load_state_dict(state["towers"])
        self.average.load_state_dict(state["average"])
        self.lessons.load_state_dict(state["lessons"])
        restore(self.optimiser, state["optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.bank = None if state["bank"] is None else state["bank"].to(self.towers.device)


def begin(towers: Towers, lessons: Lessons, pace: float = 1.0) -> JointRun:
    """A run at step 0; of the text tower only the last layers, pooler and projection learn on.

    Args:
        towers: that learn.
        lessons: what is asked besides.
        pace: of the towers' rates.
    """
    towers.text.embeddings.requires_grad_(False)
    towers.text.encoder.layer[:-TEXT_LAYERS].requires_grad_(False)
    groups = [
        *folding.groups(towers.image, RATES["image"] * pace, first={f"blocks.{towers.frozen}.": EARLIER}),
        {"params": list(lessons.parameters()), "base": RATES["lessons"]},
        {"params": list(towers.visual_projection.parameters()), "base": RATES["image projection"] * pace},
        {"params": [part for part in towers.text.parameters() if part.requires_grad], "base": RATES["text"] * pace},
        {"params": [*towers.text_projection.parameters(), towers.logit_scale], "base": RATES["text projection"] * pace},
    ]
    average = copy.deepcopy(towers)
    average.requires_grad_(False)
    optimiser = torch.optim.AdamW(groups, lr=1e-4, weight_decay=0.02, betas=(0.9, 0.98), fused=True)
    return JointRun(towers, average, lessons, optimiser)


def begin_ending(run: JointRun, pace: float = 1.0) -> None:
    """Begin an ending: from the average, with rates that rise and fall once more.

    Args:
        run: that has ended; changed in place.
        pace: of the towers' rates, as `begin` had it.
    """
    run.towers.load_state_dict(run.average.state_dict())
    anew = begin(run.towers, run.lessons, pace)
    run.average, run.optimiser, run.bank = anew.average, anew.optimiser, None


def train(
    run: JointRun, teachers: Teachers, *, material: Material, plan: Plan, folder: Path
) -> Iterator[tuple[int, dict[str, float]]]:
    """Train on to the end of the part that the run is in; yields (step, losses) after each step.

    Args:
        run: as `begin`, `begin_ending` or a checkpoint gives it.
        teachers: what photos and texts are held to.
        material: what the pictures are drawn from.
        plan: how long, how large, from which seed.
        folder: for checkpoints.
    """
    device, since = run.towers.device, time.monotonic()
    last = plan.end(run.step)
    stream = Stream(material, seed=plan.seed, start=run.step, ends=plan.ends, sizes=plan.sizes)
    painters = 1 if device.type == "cpu" else min(PAINTERS, os.cpu_count() or 1)
    loader = DataLoader(stream, batch_size=None, num_workers=painters, prefetch_factor=4)
    work = Encoder(run.towers, run.lessons, locked=teachers.image, tokenizer=teachers.tokenizer)
    with DataParallel(worker_count(device), work, _learning(run)) as pool:
        for batch in loader:
            parts = _step(run, teachers, batch, material=material, plan=plan, pool=pool)
            now = time.monotonic()
            run.seconds, since = run.seconds + now - since, now
            if run.step % plan.every == 0 or run.step == last:
                checkpoints.save(folder, run.step, run.state())
            yield run.step, parts
            if run.step >= last:
                return


def _learning(run: JointRun) -> list[Tensor]:
    return [part for group in run.optimiser.param_groups for part in group["params"]]


def _step(
    run: JointRun, teachers: Teachers, batch: Batch, *, material: Material, plan: Plan, pool: DataParallel
) -> dict[str, float]:
    """Learn from one batch; returns the parts of its loss."""
    rng = random.Random(f"{plan.seed}/texts/{run.step}")
    if run.bank is None or run.step % REFRESH == 0:
        run.bank = embed_names(run.towers, teachers.tokenizer, material.bank.names, rng=rng)
    for group in run.optimiser.param_groups:
        group["lr"] = group["base"] * plan.rate(run.step)
    seen, batch = encode_images(batch, pool), batch.to(run.towers.device)
    rows, parts = image_losses(run.towers, teachers, batch, seen=seen, material=material, bank=run.bank)
    parts |= run.lessons.question_losses(seen.letters, seen.rows, seen.alive, batch=batch)
    if run.step % SAY_EVERY == 0:
        parts |= text_losses(run.towers, teachers, batch, pictures=rows, rng=rng, pool=pool)
    run.optimiser.zero_grad()
    sum(WEIGHTS[name] * value for name, value in parts.items()).backward()  # type: ignore[union-attr]
    pool.backward()
    nn.utils.clip_grad_norm_(_learning(run), 2.0)
    run.optimiser.step()
    run.step += 1
    if run.step % 2 == 0:
        follow(run.average, run.towers, min(AVERAGE, run.step / (run.step + 20)) ** 2)
    return {name: float(value.detach()) for name, value in parts.items()}


def rate(step: int, steps: int, warm: int = WARM) -> float:
    """Of the full rate: warm up for so many steps, then half a cosine down to 2 %."""
    return min(1, (step + 1) / warm) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


@torch.no_grad()
def blended(trained: Towers, before: dict[str, Tensor], shares: tuple[float, float]) -> Towers:
    """A copy of towers, moved by a share of the way back to what they were before.

    Args:
        trained: the towers that come out of it.
        before: the `state_dict` that they went into it with.
        shares: of the image tower, and of the text tower and the logit scale; 0 keeps the trained, 1 gives those
            from before.
    """
    made = copy.deepcopy(trained)
    image, text = shares
    for name, value in made.state_dict().items():
        if value.is_floating_point():
            value.lerp_(before[name], image if name.startswith(IMAGE) else text)
    return made
