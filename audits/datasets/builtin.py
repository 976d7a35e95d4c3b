"""The data sets that are there without any download: drawn or rendered on first use, from packages alone.

Knows no audit; a row says how a folder is filled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audits.datasets import drawn_people
from audits.datasets.dataset import About


@dataclass(frozen=True)
class Builtin:
    """A data set that builds itself."""

    key: str  # "builtin:drawn-people-age"
    title: str
    build: Callable[[Path], About]  # writes PNG files and samples.csv into an empty folder; no clock, seeded
    version: int = 1  # rises when `build` would write other bytes


BUILTIN: tuple[Builtin, ...] = (
    Builtin(drawn_people.AGE_KEY, "Drawn people by age", drawn_people.build_age),
    Builtin(drawn_people.OCCUPATION_KEY, "Drawn people by occupation", drawn_people.build_occupation),
)
