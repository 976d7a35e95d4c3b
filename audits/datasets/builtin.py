"""The table of data sets that are there without any download, each drawn by code of its own.

Knows no cache: `audits.datasets` decides where a set is built and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audits.datasets import counted_things, drawn_things, known_and_unknown
from audits.datasets.dataset import About


@dataclass(frozen=True)
class Builtin:
    """A data set that is drawn where it is needed."""

    key: str  # behind "builtin:"
    title: str
    build: Callable[[Path], About]  # writes PNG files and samples.csv, the same each time
    version: int  # rises when the pictures change


BUILTIN: tuple[Builtin, ...] = (
    Builtin("counted-things", "Sets of one to ten drawn things", counted_things.build, counted_things.VERSION),
    Builtin("drawn-things", "Drawings and photos of common things", drawn_things.build, drawn_things.VERSION),
    Builtin(
        "known-and-unknown",
        "Known things, unknown things, digits and textures",
        known_and_unknown.build,
        known_and_unknown.VERSION,
    ),
)
