"""What recipes that go on from a checkpoint begin with: the checkpoint, opened, and pictures that it looks at."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workbench.progress import Progress
from workbench.training.pocket import folding, opening, sources, towers, vocabulary
from workbench.training.pocket.material import Material
from workbench.training.pocket.towers import Towers
from workbench.training.texts.seen import BATCH, KINDS, Pictures, Seen, see
from workbench.training.texts.settings import Begun, Seeing
from workbench.training.texts.tower_vectors import begun
from workbench.training.texts.vectors import Choices, Goals, Vectors

FROZEN = 3  # stages of the image tower that the classifier shares


@dataclass(frozen=True)
class Opened:
    """A checkpoint and what pictures are drawn from.

    Attributes:
        made: both towers.
        tokenizer: of the text tower.
        locked: the folded classifier that its image tower began from.
        read: the ingredients.
        material: what pictures are drawn from.
    """

    made: Towers
    tokenizer: Any
    locked: Any
    read: Any
    material: Material


@dataclass(frozen=True)
class Looked(Opened):
    """A checkpoint and what it saw.

    Attributes:
        seen: the pictures.
        vectors: where the text tower has the names.
        choices: what pictures are told from.
        goals: what pictures want of vectors.
    """

    seen: Seen
    vectors: Vectors
    choices: Choices
    goals: Goals

    @property
    def rows(self) -> Tensor:
        """Every picture's embedding, (n, dim) unit rows."""
        return self.seen.embedded(torch.arange(len(self.seen.kind)))

    @property
    def nouns(self) -> list[str]:
        """WordNet's nouns that are no names of the bank, sorted."""
        nouns = {word.lower() for synset in self.read.lexicon.nouns for word in synset.words}
        return sorted(nouns.difference(self.material.bank.names))


def begin(settings: Begun, out: Path) -> Opened:
    """Open a checkpoint and read what pictures are drawn from.

    Args:
        settings: which checkpoint.
        out: the model's folder; `work/` in it keeps drawings and word pieces.

    Raises:
        BadInput: an ingredient is missing.
    """
    work = out / "work"
    read = sources.read(settings, work)
    shutil.copyfile(settings.start / "vocab.txt", work / "vocab.txt")
    net = towers.locked(settings.image_tower)
    locked = folding.folded(net).to(settings.device)  # before the checkpoint's weights take the place of its own
    made = opening.reopened(settings.start, net=net, frozen=FROZEN).to(settings.device)
    tokenizer = vocabulary.tokenizer(settings.start / "vocab.txt")
    return Opened(made, tokenizer, locked, read, sources.material(settings, read, work))


def look(settings: Seeing, out: Path, stopped: Callable[[], bool]) -> Generator[Progress, None, Looked | None]:
    """Open a checkpoint and have it look at pictures, from wherever it left off: yields progress.

    Args:
        settings: which checkpoint, and how many pictures.
        out: the model's folder; `work/` in it keeps the pictures.
        stopped: asked after each step; then it ends.

    Returns:
        The checkpoint and what it saw; None where it was stopped.
    """
    start = begin(settings, out)
    made, material, folder = start.made, start.material, out / "work" / "pictures"
    pictures = Pictures(material, settings.seed, 0, settings.pictures, KINDS, BATCH, settings.size)
    for row in see(made, start.locked, pictures, folder=folder):
        if isinstance(row, Seen):
            choices = Choices.of(material.bank, material.first_names)
            goals = settings.goals(float(made.logit_scale.detach().exp()))
            vectors = begun(made, start.tokenizer, material.bank)
            return Looked(**vars(start), seen=row, vectors=vectors, choices=choices, goals=goals)
        yield row
        if stopped():
            break
    return None


def step_row(step: int, losses: dict[str, float], *, steps: int, stage: str) -> Progress:
    """A step as a row of progress; every fiftieth says its losses."""
    text = ", ".join(f"{name} {value:.3f}" for name, value in losses.items()) if step % 50 == 0 else ""
    return Progress(step, steps, "steps", stage, values={"loss": sum(losses.values())}, text=text)
