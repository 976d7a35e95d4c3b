"""The embed stage's device work as a task of the engine: audits run wherever the device is, attacks included."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audits.contracts import Item
from workbench.engine.task import Task
from workbench.engine.tasks import IMAGES_PER_SECOND

PASS = 32  # images of one pass through the model
CPU_PASS = 16  # on a processor: whoever asks a question meanwhile waits for the end of a pass
ATTACKS_PER_SECOND = 2.0  # images under one attack on a lent GPU; low, so that estimates are not exceeded


@dataclass(frozen=True, eq=False)
class Passes:
    """Prepared images and what is done with them before they are embedded; plain data."""

    module: str  # dotted name of the module that holds the audit's `attack`; empty without one
    pixels: NDArray[np.uint8]  # (n, 3, size, size)
    items: tuple[Item, ...]  # n
    attacked: bool
    texts: Mapping[str, NDArray[np.float32]]  # that an attack may need


def _embed_passes(model: Any, payload: Passes) -> Iterator[NDArray[np.float32]]:
    """Yield (at most PASS, dim) float32 rows, attacked before where the payload says so."""
    import torch

    size = CPU_PASS if not payload.attacked and str(model.device) == "cpu" else PASS
    for at in range(0, len(payload.items), size):
        pixels = torch.from_numpy(payload.pixels[at : at + size])
        if not payload.attacked:
            yield model.encode_pixels(pixels).numpy()
            continue
        attack = importlib.import_module(payload.module).attack
        changed = attack(
            model, pixels.to(model.device) / 255.0, list(payload.items[at : at + size]), texts=payload.texts
        )
        with torch.inference_mode():
            rows = model.embed_pixels(changed).float().cpu()
        yield rows.clone().numpy()


def _seconds(payload: Passes) -> float:
    return len(payload.items) / (ATTACKS_PER_SECOND if payload.attacked else IMAGES_PER_SECOND)


EMBED_PASSES = Task("embed audit passes", _embed_passes, _seconds)

TASKS: Mapping[str, Task] = {EMBED_PASSES.name: EMBED_PASSES}
