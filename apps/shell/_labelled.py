"""What the commands for labelled folders share: read the folder, and embed it with progress on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from workbench.cli.interrupt import stop_on_ctrl_c
from workbench.cli.output import say
from workbench.cli.progress import progress
from workbench.errors import Cancelled
from workbench.models import find

if TYPE_CHECKING:
    from workbench.engine import Engine, Session
    from workbench.probes.embedding import ImageFeatures
    from workbench.probes.labelled import LabelledImages
    from workbench.probes.table import EmbeddedImages, EvaluationRequest

FolderArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="FOLDER", help="Class folders, with train/ and test/ above where both are given; or a zip or table."
    ),
]
CacheOption: TypeAlias = Annotated[
    bool, typer.Option("--cache", help="Cache the vectors on disk, and reuse cached ones.")
]


@contextmanager
def opened_engine(model: str, device: str, dtype: str, *, cache: bool) -> Iterator[Engine]:
    """Give an engine for one command, and say on stderr who answers."""
    from workbench.cache import DiskCache
    from workbench.engine import Engine

    spec = find(model)
    say(f"{spec.title}, trained on {spec.trained_on or 'data that is not known here'}.")
    with Engine(default=model, device=device, dtype=dtype, disk=DiskCache() if cache else None) as engine:
        yield engine


def read_and_say(folder: str, seed: int, *, complete: bool = True, several: bool = False) -> LabelledImages:
    """Read a folder of labelled images, and say on stderr how it is split; see `read_labelled`."""
    from workbench.probes.labelled import read_labelled

    return say_parts(read_labelled(folder, seed=seed, complete=complete, several=several))


def say_parts(images: LabelledImages) -> LabelledImages:
    """Say on stderr how labelled images are split, and return them."""
    say(f"{images.summary}.")
    for line in images.skipped[:3]:
        say(f"Left out: {line}")
    return images


def embed_and_show(session: Session, images: LabelledImages) -> tuple[LabelledImages, ImageFeatures]:
    """Embed with a progress bar; return the images that can be read, and what the model makes of them."""
    from workbench.probes.embedding import ImageFeatures, embed_images, readable

    with progress() as bar, stop_on_ctrl_c() as stop:
        task = bar.add_task("Images", total=len(images.samples))
        for step in embed_images(session, images.samples):
            if isinstance(step, ImageFeatures):
                made = step
                break
            bar.update(task, completed=step.done, description=step.line)
            if stop.is_set():
                raise Cancelled("Stopped; nothing was measured.")
    for number, reason in list(made.failed.items())[:3]:
        say(f"Left out: {images.samples[number].name}: {reason}")
    return readable(images, made)


def embed_models(engine: Engine, question: EvaluationRequest) -> EmbeddedImages:
    """Embed by every model with a progress bar; name on stderr the models that were dropped."""
    from workbench.probes.evaluation import ModelEvaluation
    from workbench.probes.table import EmbeddedImages, embed_all
    from workbench.progress import Progress

    with progress() as bar, stop_on_ctrl_c() as stop:
        task = bar.add_task("Images", total=len(question.images.samples))
        for step in embed_all(engine, question, owner="shell"):
            if isinstance(step, Progress):
                bar.update(task, completed=step.done, total=step.total, description=f"{step.stage}: {step.line}")
            elif isinstance(step, ModelEvaluation):
                say(f"{step.title}: {step.dropped}.")
            elif isinstance(step, EmbeddedImages):
                return step
            if stop.is_set():
                raise Cancelled("Stopped; nothing was measured.")
    raise AssertionError("the last step is the result")
