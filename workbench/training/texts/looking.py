"""What the recipes of texts and of projections begin with: a checkpoint, opened, and pictures that it looks at."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.progress import Progress
from workbench.training.pocket import folding, opening, sources, towers, vocabulary
from workbench.training.pocket.material import Material
from workbench.training.pocket.towers import Towers
from workbench.training.texts.seen import Seen, see
from workbench.training.texts.settings import Seeing
from workbench.training.texts.tower_vectors import begun
from workbench.training.texts.vectors import Choices, Goals, Vectors

FROZEN = 3  # stages of the image tower that the classifier shares


@dataclass(frozen=True)
class Opened:
    """A checkpoint and what it saw.

    Attributes:
        made: both towers.
        tokenizer: of the text tower.
        read: the ingredients.
        material: what pictures were drawn from.
        seen: the pictures.
        vectors: where the text tower has the names.
        choices: what pictures are told from.
        goals: what pictures want of vectors.
    """

    made: Towers
    tokenizer: Any
    read: Any
    material: Material
    seen: Seen
    vectors: Vectors
    choices: Choices
    goals: Goals


def look(settings: Seeing, out: Path, stopped: Callable[[], bool]) -> Generator[Progress, None, Opened | None]:
    """Open a checkpoint and have it look at pictures, from wherever it left off: yields progress.

    Args:
        settings: which checkpoint, and how many pictures.
        out: the model's folder; `work/` in it keeps the pictures.
        stopped: asked after each step; then it ends.

    Returns:
        The checkpoint and what it saw; None where it was stopped.
    """
    work = out / "work"
    read = sources.read(settings, work)
    shutil.copyfile(settings.start / "vocab.txt", work / "vocab.txt")
    net = towers.locked(settings.image_tower)
    made = opening.reopened(settings.start, net=net, frozen=FROZEN).to(settings.device)
    tokenizer = vocabulary.tokenizer(settings.start / "vocab.txt")
    material = sources.material(settings, read, work)
    locked = folding.folded(net).to(made.device)
    pictures = see(made, locked, material, count=settings.pictures, seed=settings.seed, folder=work / "pictures")
    for row in pictures:
        if isinstance(row, Seen):
            choices = Choices.of(material.bank, material.first_names)
            goals = settings.goals(float(made.logit_scale.detach().exp()))
            vectors = begun(made, tokenizer, material.bank)
            return Opened(made, tokenizer, read, material, row, vectors, choices, goals)
        yield row
        if stopped():
            break
    return None


def step_row(step: int, losses: dict[str, float], *, steps: int, stage: str) -> Progress:
    """A step as a row of progress; every fiftieth says its losses."""
    text = ", ".join(f"{name} {value:.3f}" for name, value in losses.items()) if step % 50 == 0 else ""
    return Progress(step, steps, "steps", stage, values={"loss": sum(losses.values())}, text=text)
