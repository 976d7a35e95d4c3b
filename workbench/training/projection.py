"""The recipe of projections: an image tower's last map led into the joint space anew, to where the texts are.

Pictures of every kind are drawn and looked at once; the projection learns to lay them where the text tower has their
names, and sentences of colours, counts and pairs. Both towers, units and texts stay what they were.

Source:
    Kumar et al. 2022, arXiv:2202.10054 (a last layer alone, fitted to features that stay, does not distort them).
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from workbench.progress import Progress
from workbench.training.order import Order
from workbench.training.pocket import export
from workbench.training.texts.looking import look, step_row
from workbench.training.texts.seen import Seen
from workbench.training.texts.settings import ProjectionSettings, settings
from workbench.training.texts.tower_vectors import TowerVectors, embed
from workbench.training.texts.vectors import MANY, WARM, Choices, Goals, Questions, Vectors, answers

RATE = 3e-4  # small, for little movement brings most of what is to be had


def train(order: Order, *, stopped: Callable[[], bool]) -> Iterator[Progress]:
    """Fit a projection; yields a row after each step.

    Args:
        order: `data` names the folder of photos, `out` where the model goes, `model` the checkpoint: its key or folder.
        stopped: asked after each step; drawn pictures are kept.

    Raises:
        BadInput: an ingredient is missing, or the order asks for what this recipe does not do.
    """
    yield from make(settings(order, ProjectionSettings), order.out, stopped)


def make(wanted: ProjectionSettings, out: Path, stopped: Callable[[], bool]) -> Iterator[Progress]:
    """Do what is not done yet, and write the model's folder at the end.

    Args:
        wanted: what decides the weights.
        out: the model's folder; `work/` in it keeps the pictures.
        stopped: asked after each step.
    """
    since = time.monotonic()
    start = yield from look(wanted, out, stopped)
    if start is None:
        return
    texts = TowerVectors(
        **vars(start.vectors),
        embed=functools.partial(embed, start.made, start.tokenizer),
        names=start.material.bank.names,
    )
    for part in fit(start.seen, texts, start.choices, wanted=wanted, goals=start.goals):
        if isinstance(part, Tensor):
            new, seconds = {"visual_projection.weight": part}, time.monotonic() - since
            export.write_again(new, wanted, out, sources=start.read, steps=wanted.steps, seconds=seconds)
        else:
            yield step_row(*part, steps=wanted.steps, stage="projection")
            if stopped():
                return


def fit(
    seen: Seen, texts: Vectors, choices: Choices, *, wanted: ProjectionSettings, goals: Goals
) -> Iterator[tuple[int, dict[str, float]] | Tensor]:
    """Fit the projection to pictures: yields (steps done, losses) after each step, then it, (dim, channels).

    Args:
        seen: the pictures, as the projection has them so far.
        texts: where names and sentences are.
        choices: what pictures are told from.
        wanted: how many steps, with which seed, and how close pictures are to stay to where they were.
        goals: what pictures want.
    """
    generator = torch.Generator().manual_seed(wanted.seed)
    now = replace(seen, projection=seen.projection.clone().requires_grad_())
    optimiser = torch.optim.Adam([now.projection])
    questions = Questions(now, choices, answers(seen, texts, choices, goals=goals), goals, generator)
    for step in range(wanted.steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / WARM) * (1 - step / wanted.steps)
        losses = questions.losses(texts)
        total = torch.stack([goals.weights[name] * value for name, value in losses.items()]).sum()
        some = torch.randperm(len(seen.kind), generator=generator)[:MANY]
        losses["moved"] = (now.embedded(some) - seen.embedded(some)).square().sum(-1).mean()
        optimiser.zero_grad()
        (total + wanted.stay * losses["moved"]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        yield step + 1, {name: float(value.detach()) for name, value in losses.items()}
    yield now.projection.detach()
