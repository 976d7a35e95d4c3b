"""The recipe of texts from beginning to end: see pictures, fit vectors, teach the text tower, write the model."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from workbench.progress import Progress
from workbench.training import checkpoints
from workbench.training.pocket import export
from workbench.training.pocket.towers import Towers
from workbench.training.texts.learning import Sentences, TextLesson, learn, weights
from workbench.training.texts.looking import look, step_row
from workbench.training.texts.settings import Settings
from workbench.training.texts.vectors import Vectors, fit


def make(settings: Settings, out: Path, stopped: Callable[[], bool]) -> Iterator[Progress]:
    """Do what is not done yet, and write the model's folder at the end.

    Args:
        settings: what decides the weights.
        out: the model's folder; `work/` in it holds what a stopped run goes on from.
        stopped: asked after each step.
    """
    since, work = time.monotonic(), out / "work"
    start = yield from look(settings, out, stopped)
    if start is None:
        return
    made, vectors = start.made, start.vectors
    steps, seed = settings.vector_steps, settings.seed
    for part in fit(start.seen, vectors, choices=start.choices, goals=start.goals, steps=steps, seed=seed):
        if isinstance(part, Vectors):
            vectors = part
        else:
            yield step_row(*part, steps=steps, stage="vectors")
            if stopped():
                return
    sentences = Sentences(vectors, start.material.bank)
    lesson = TextLesson(sentences, start.rows, start.nouns, copy.deepcopy(made), settings.steps, seed)
    done, seconds = _done(made, work)
    for cycle in range(done, settings.cycles):
        for step, losses in learn(made, start.tokenizer, lesson, cycle=cycle):
            yield step_row(cycle * settings.steps + step, losses, steps=settings.cycles * settings.steps, stage="texts")
            if stopped():
                return
        now = time.monotonic()
        seconds, since = seconds + now - since, now
        checkpoints.save(work / "texts", cycle + 1, {"towers": made.state_dict(), "seconds": seconds}, keep=1)
    steps = settings.cycles * settings.steps
    export.write_again(weights(made), settings, out, sources=start.read, steps=steps, seconds=seconds)


def _done(made: Towers, work: Path) -> tuple[int, float]:
    """Load the towers as the last whole cycle left them: how many cycles are over, and how long they took."""
    last = checkpoints.latest(work / "texts")
    if last is None:
        return 0, 0.0
    state = checkpoints.load(last)
    made.load_state_dict(state["towers"])
    return int(last.name.removeprefix("step-")), state["seconds"]
