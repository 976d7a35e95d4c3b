"""The built-in data sets: drawn or rendered on first use from installed packages, without any download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audits.datasets import (
    cctv,
    characters,
    counted_things,
    drawn_people,
    drawn_things,
    known_and_unknown,
    moved_drawings,
    styles,
    things,
)
from audits.datasets.dataset import About


@dataclass(frozen=True)
class Builtin:
    """A data set that is drawn on first use."""

    key: str  # behind "builtin:"
    title: str
    build: Callable[[Path], About]  # writes PNG files and samples.csv into an empty folder; deterministic
    version: int = 1  # rises when the files change


BUILTIN: tuple[Builtin, ...] = (
    Builtin(drawn_people.AGE_KEY, "Drawn people by age", drawn_people.build_age),
    Builtin(drawn_people.OCCUPATION_KEY, "Drawn people by occupation", drawn_people.build_occupation),
    Builtin("cctv", "Rendered surveillance scenes", cctv.build),
    Builtin("characters", "Drawn characters", characters.build),
    Builtin("things", "Things: photos and drawings", things.build),
    Builtin("styles", "Drawn things in eight styles", styles.build),
    Builtin("moved-drawings", moved_drawings.ABOUT.title, moved_drawings.build),
    Builtin("drawn-things", "Drawings and photos of common things", drawn_things.build, drawn_things.VERSION),
    Builtin("counted-things", "Sets of one to ten drawn things", counted_things.build, counted_things.VERSION),
    Builtin(
        "known-and-unknown",
        "Known things, unknown things, digits and textures",
        known_and_unknown.build,
        known_and_unknown.VERSION,
    ),
)
