"""The recipe from beginning to end: prepare, train both towers, write the model and its record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from workbench.training import checkpoints
from workbench.training.pocket import build, export, joint, sources
from workbench.training.pocket.settings import Settings
from workbench.training.progress import Progress


def make(settings: Settings, out: Path, stopped: Callable[[], bool]) -> Iterator[Progress]:
    """Do what is not done yet, and write the model's folder at the end.

    Args:
        settings: what decides the weights.
        out: the model's folder; `work/` in it holds what a stopped run goes on from.
        stopped: asked after each step.
    """
    ready = None
    for row in build.prepare(settings, out, stopped):
        if isinstance(row, build.Ready):
            ready = row
        else:
            yield row
    if ready is None:  # stopped
        return
    folder = out / "work" / "joint"
    if ready.run.step < settings.steps:
        drawn_from = sources.material(settings, ready.sources, out / "work")
        plan = joint.Plan(settings.steps, settings.sizes, settings.seed, settings.save_every)
        for step, parts in joint.train(ready.run, ready.teachers, material=drawn_from, plan=plan, folder=folder):
            loss = sum(joint.WEIGHTS[name] * value for name, value in parts.items())
            said = ", ".join(f"{name} {value:.3f}" for name, value in parts.items()) if step % 50 == 0 else ""
            yield Progress(
                step,
                settings.steps,
                loss,
                settings.pace * joint.RATES["image"] * joint.rate(step, settings.steps),
                said,
            )
            if stopped():
                checkpoints.save(folder, step, ready.run.state())
                return
    made = joint.blended(ready.run.average.cpu(), ready.before, settings.blend)
    export.write(made, settings, out, ready=ready)
