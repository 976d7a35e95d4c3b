"""The table of data sets that are there without any download, each drawn by code of its own.

Knows no cache: `audits.datasets.readers` decides where a set is built and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audits.datasets import cctv, characters, styles, things
from audits.datasets.dataset import About


@dataclass(frozen=True)
class Builtin:
    """A data set that is made where it is needed."""

    key: str  # behind "builtin:"
    title: str
    build: Callable[[Path], About]  # writes PNG files and samples.csv into an empty folder; no clock, seeded
    version: int = 1  # rises when other bytes are written


BUILTIN: tuple[Builtin, ...] = (
    Builtin("things", "Things: photos and drawings", things.build),
    Builtin("cctv", "Rendered surveillance scenes", cctv.build),
    Builtin("characters", "Drawn characters", characters.build),
    Builtin("styles", "Drawn things in eight styles", styles.build),
)
