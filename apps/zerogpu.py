"""The device work of a Space on ZeroGPU: one function that a borrowed GPU runs in a process of its own.

It runs any task of `TASKS` on the models that the Space offers, and yields plain values, since they are
pickled on the way. Fulfils `workbench.engine.Remote` as a module; imported only where SPACES_ZERO_GPU is set, before
anything that loads torch.
"""

from __future__ import annotations

import spaces  # isort: skip  # first: it prepares torch for a GPU that is not there yet

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apps.space_export import OFFERED, ROOT
from audits import tasks as audit_tasks
from workbench.checkpoints.shipped import POCKET, POCKET_LITE2
from workbench.engine import tasks
from workbench.engine.loaders import DIFFUSION, LOADERS, PRIOR
from workbench.errors import Unsupported, WeightsMissing
from workbench.loading import load

TASKS = {**tasks.TASKS, **audit_tasks.TASKS}
CHECKPOINTS = ROOT / "checkpoints"  # where the owner of a Space puts folders in diffusers' format
START_SECONDS = 6.0  # to get the GPU and move there
MAX_SECONDS = 110.0  # of one call; a visitor has two minutes a day


def _models() -> dict[str, Any]:
    """Load what the Space offers; a checkpoint that was not downloaded beforehand is left out."""
    models: dict[str, Any] = {}
    for key in (POCKET.key, POCKET_LITE2.key, OFFERED, PRIOR.key):
        try:
            models[key] = LOADERS[PRIOR.kind].load(key, "auto", "auto") if key == PRIOR.key else load(key)
        except WeightsMissing:
            continue
    return models


def _model(key: str) -> Any:
    """A model of the table, or a checkpoint that draws and lies among the Space's own files.

    Raises:
        Unsupported: neither.
    """
    if key in MODELS:
        return MODELS[key]
    if (path := Path(key).resolve()).is_relative_to(CHECKPOINTS) and path.exists():
        return LOADERS[DIFFUSION].load(str(path), "auto", "auto")
    raise Unsupported(f"This Space offers {', '.join(MODELS)}; got {key!r}.")


MODELS = _models()  # at module scope: moved to the GPU once, when one is lent


def _seconds(task: str, keys: tuple[str, ...], payload: Any) -> int:
    """Estimate how long a GPU is needed; the visitor must have that much left."""
    work = TASKS[task].seconds(payload) if task in TASKS else 0.0
    return math.ceil(min(START_SECONDS + work, MAX_SECONDS))


@spaces.GPU(duration=_seconds)
def stream(task: str, keys: tuple[str, ...], payload: Any) -> Iterator[Any]:
    """Run one task and yield what it yields, previews included.

    Raises:
        Unsupported: a model that this Space does not offer, or an unknown task.
    """
    if task not in TASKS:
        raise Unsupported(f"A borrowed GPU runs these tasks: {', '.join(TASKS)}; got {task!r}.")
    yield from TASKS[task].run(*map(_model, keys), payload)
