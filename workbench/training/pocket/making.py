"""The recipe from beginning to end: prepare, train both towers, write the model and its record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from workbench.progress import Progress
from workbench.training import checkpoints
from workbench.training.pocket import build, export, joint, sources
from workbench.training.pocket.losses import Teachers
from workbench.training.pocket.material import Material
from workbench.training.pocket.settings import Settings

BEGAN = "ending"  # holds what the endings began from


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
        first, *endings = settings.parts
        plan = joint.Plan(first, settings.sizes, settings.seed, settings.save_every, tuple(endings))
        for step, parts in train_parts(
            ready.run, ready.teachers, material=drawn_from, plan=plan, pace=settings.pace, folder=folder
        ):
            loss = sum(joint.WEIGHTS[name] * value for name, value in parts.items())
            text = ", ".join(f"{name} {value:.3f}" for name, value in parts.items()) if step % 50 == 0 else ""
            rate = settings.pace * joint.RATES["image"] * plan.rate(step - 1)
            yield Progress(step, plan.whole, "steps", values={"loss": loss, "learning rate": rate}, text=text)
            if stopped():
                checkpoints.save(folder, step, ready.run.state())
                return
    began = checkpoints.latest(out / "work" / BEGAN)
    before = ready.before if began is None else checkpoints.load(began)["towers"]
    made = joint.blended(ready.run.average.cpu(), before, settings.blend)
    export.write(made, settings, out, sources=ready.sources, steps=ready.run.step, seconds=ready.run.seconds)


def train_parts(
    run: joint.JointRun, teachers: Teachers, *, material: Material, plan: joint.Plan, pace: float, folder: Path
) -> Iterator[tuple[int, dict[str, float]]]:
    """Stage two, then its endings, from wherever a checkpoint left it; yields (step, losses) after each step.

    Args:
        run: as `joint.begin` or a checkpoint gives it.
        teachers: what photos and texts are held to.
        material: what the pictures are drawn from.
        plan: how long, how large, from which seed.
        pace: of the towers' rates.
        folder: for checkpoints.
    """
    while run.step < plan.whole:
        if run.step in plan.ends:
            checkpoints.save(folder.parent / BEGAN, run.step, {"towers": run.average.state_dict()})
            joint.begin_ending(run, pace)
        yield from joint.train(run, teachers, material=material, plan=plan, folder=folder)
