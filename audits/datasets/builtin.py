"""The data sets that are there without any download: drawn, rendered, or made of pictures that packages carry.

Knows no model and no audit; each is built once into a folder, and always to the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audits.datasets import cctv, characters, styles, things
from audits.datasets.dataset import About


@dataclass(frozen=True)
class Builtin:
    """One data set and how it is made."""

    key: str
    title: str
    build: Callable[[Path], About]  # writes PNG files and samples.csv into an empty folder; no clock, seeded
    version: int = 1  # rises when other bytes are written


BUILTIN: tuple[Builtin, ...] = (
    Builtin("things", "Things: photos and drawings", things.build),
    Builtin("cctv", "Rendered surveillance scenes", cctv.build),
    Builtin("characters", "Drawn characters", characters.build),
    Builtin("styles", "Drawn things in eight styles", styles.build),
)
