"""The device work of a Space on ZeroGPU: one function that a borrowed GPU runs in a process of its own.

It runs any task of `TASKS` on the models that the Space offers, and yields plain values, since they are
pickled on the way. Fulfils `workbench.engine.Remote` as a module; imported only where SPACES_ZERO_GPU is set, before
anything that loads torch.
"""

from __future__ import annotations

import spaces  # isort: skip  # first: it prepares torch for a GPU that is not there yet

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from apps.space_export import OFFERED
from audits import tasks as audit_tasks
from workbench.engine import tasks
from workbench.errors import Unsupported, WeightsMissing
from workbench.loading import load

if TYPE_CHECKING:
    from workbench.loading.torch_backend import TorchBackend

TASKS = {**tasks.TASKS, **audit_tasks.TASKS}
START_SECONDS = 6.0  # to get the GPU and move there
MAX_SECONDS = 110.0  # of one call; a visitor has two minutes a day


def _models() -> dict[str, TorchBackend]:
    """Load what the Space offers; a checkpoint that was not downloaded beforehand is left out."""
    models = {}
    for key in ("pocket", OFFERED):
        try:
            models[key] = load(key)
        except WeightsMissing:
            continue
    return models


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
    for key in keys:
        if key not in MODELS:
            raise Unsupported(f"This Space offers {', '.join(MODELS)}; got {key!r}.")
    yield from TASKS[task].run(*(MODELS[key] for key in keys), payload)
