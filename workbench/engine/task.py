"""What a job on the device is, wherever that device is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Task:
    """A long job as a function of models and one payload.

    `run(*models, payload)` yields after each step on the device. Payload and values are plain: numbers, text, arrays
    and dataclasses of those, so that they can be pickled. A step must not end inside `torch.inference_mode()`.
    """

    name: str
    run: Callable[..., Iterator[Any]]
    seconds: Callable[[Any], float]  # payload -> how long a GPU is needed, estimated
