"""The recipe of texts from beginning to end: see pictures, fit vectors, teach the text tower, write the model."""

from __future__ import annotations

import copy
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workbench.progress import Progress
from workbench.training import checkpoints
from workbench.training.pocket import export, folding, opening, sources, towers, vocabulary
from workbench.training.pocket.bank import Bank
from workbench.training.pocket.towers import Towers
from workbench.training.texts.learning import TextLesson, embedded, learn
from workbench.training.texts.seen import Seen, see
from workbench.training.texts.settings import Settings
from workbench.training.texts.vectors import FORMS, Choices, Vectors, fit

FROZEN = 3  # stages of the image tower that the classifier shares
AT_ONCE = 256  # texts


def make(settings: Settings, out: Path, stopped: Callable[[], bool]) -> Iterator[Progress]:
    """Do what is not done yet, and write the model's folder at the end.

    Args:
        settings: what decides the weights.
        out: the model's folder; `work/` in it holds what a stopped run goes on from.
        stopped: asked after each step.
    """
    since, work = time.monotonic(), out / "work"
    read = sources.read(settings, work)
    shutil.copyfile(settings.start / "vocab.txt", work / "vocab.txt")
    net = towers.locked(settings.image_tower)
    made = opening.reopened(settings.start, net=net, frozen=FROZEN).to(settings.device)
    tokenizer = vocabulary.tokenizer(settings.start / "vocab.txt")
    material = sources.material(settings, read, work)
    locked = folding.folded(net).to(made.device)
    seen = None
    pictures = see(made, locked, material, count=settings.pictures, seed=settings.seed, folder=work / "seen")
    for row in pictures:
        if isinstance(row, Seen):
            seen = row
        else:
            yield row
            if stopped():
                return
    assert seen is not None
    begun, choices = _begun(made, tokenizer, material.bank), Choices.of(material.bank, material.first_names)
    vectors, goals = begun, settings.goals(float(made.logit_scale.detach().exp()))
    steps, seed = settings.vector_steps, settings.seed
    for part in fit(seen, begun, choices=choices, goals=goals, steps=steps, seed=seed):
        if isinstance(part, Vectors):
            vectors = part
        else:
            yield _row(*part, steps, "vectors")
            if stopped():
                return
    nouns = {word.lower() for synset in read.lexicon.nouns for word in synset.words}
    rest = sorted(nouns.difference(material.bank.names))
    lesson = TextLesson(vectors, material.bank, seen.rows, rest, copy.deepcopy(made), settings.steps, seed)
    done, seconds = _done(made, work)
    for cycle in range(done, settings.cycles):
        for step, losses in learn(made, tokenizer, lesson, cycle=cycle):
            yield _row(cycle * settings.steps + step, losses, settings.cycles * settings.steps, "texts")
            if stopped():
                return
        now = time.monotonic()
        seconds, since = seconds + now - since, now
        checkpoints.save(work / "texts", cycle + 1, {"towers": made.state_dict(), "seconds": seconds}, keep=1)
    export.write_texts(made.cpu(), settings, out, sources=read, steps=settings.cycles * settings.steps, seconds=seconds)


def _done(made: Towers, work: Path) -> tuple[int, float]:
    """Load the towers as the last whole cycle left them: how many cycles are over, and how long they took."""
    last = checkpoints.latest(work / "texts")
    if last is None:
        return 0, 0.0
    state = checkpoints.load(last)
    made.load_state_dict(state["towers"])
    return int(last.name.removeprefix("step-")), state["seconds"]


def _row(step: int, losses: dict[str, float], steps: int, stage: str) -> Progress:
    text = ", ".join(f"{name} {value:.3f}" for name, value in losses.items()) if step % 50 == 0 else ""
    return Progress(step, steps, "steps", stage, values={"loss": sum(losses.values())}, text=text)


@torch.no_grad()
def _begun(made: Towers, tokenizer: Any, bank: Bank) -> Vectors:
    """Vectors where the text tower has the names."""
    tables: dict[str, Tensor] = {}
    for kind, form in FORMS.items():
        texts = [form.format(name) for name in bank.names]
        parts = (texts[start : start + AT_ONCE] for start in range(0, len(texts), AT_ONCE))
        tables[kind] = torch.cat([embedded(made, tokenizer, part).float().cpu() for part in parts])
    return Vectors.begun(tables)
