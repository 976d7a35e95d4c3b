"""The built-in data sets: drawn or rendered on first use from installed packages, without any download."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from audits.datasets import (
    cctv,
    characters,
    counted_things,
    drawn_people,
    drawn_scenes,
    drawn_things,
    known_and_unknown,
    moved_drawings,
    styles,
    things,
)
from audits.datasets.dataset import About
from audits.datasets.drawn import Picture, write_pictures


@dataclass(frozen=True)
class Builtin:
    """A data set that is drawn on first use."""

    key: str  # behind "builtin:"
    about: About
    pictures: Callable[[], Iterator[Picture]]  # deterministic
    version: int = 1  # rises when the files change

    def build(self, folder: Path) -> None:
        """Write PNG files and `samples.csv` into an empty folder; the same bytes each time."""
        write_pictures(folder, self.pictures())


BUILTIN: tuple[Builtin, ...] = (
    Builtin(drawn_people.AGE_KEY, drawn_people.BY_AGE, drawn_people.by_age),
    Builtin(drawn_people.OCCUPATION_KEY, drawn_people.BY_OCCUPATION, drawn_people.by_occupation),
    Builtin("cctv", cctv.ABOUT, cctv.pictures),
    Builtin("characters", characters.ABOUT, characters.pictures),
    Builtin("things", things.ABOUT, things.pictures),
    Builtin("styles", styles.ABOUT, styles.pictures),
    Builtin("moved-drawings", moved_drawings.ABOUT, moved_drawings.pictures),
    Builtin("drawn-things", drawn_things.ABOUT, drawn_things.pictures),
    Builtin("drawn-scenes", drawn_scenes.ABOUT, drawn_scenes.pictures),
    Builtin("drawn-tags", drawn_scenes.TAGGED, drawn_scenes.tagged),
    Builtin("counted-things", counted_things.ABOUT, counted_things.pictures),
    Builtin("known-and-unknown", known_and_unknown.ABOUT, known_and_unknown.pictures),
)
