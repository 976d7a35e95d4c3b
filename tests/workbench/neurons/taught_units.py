"""The channels that shipped models were taught, by their cards: other weights have other numbers."""

from __future__ import annotations

import re
from pathlib import Path

import workbench


def taught_units(key: str) -> dict[int, str]:
    """Return channel -> the concept that it was taught."""
    card = (Path(workbench.__file__).parent / "weights" / key / "README.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^Channels that were taught their concept: ([^.]+)\.", card, re.M)
    return {int(number): concept for concept, number in re.findall(r"(\w+)\s+(\d+)", listed)}


def taught(concept: str) -> int:
    """Return the first channel of `pocket` that was taught a concept."""
    return next(unit for unit, name in taught_units("pocket").items() if name == concept)
