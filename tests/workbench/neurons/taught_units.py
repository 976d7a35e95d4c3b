"""The channels that `pocket` was taught, by the table of its weights' README: other weights have other numbers."""

from __future__ import annotations

import re
from pathlib import Path

import workbench

_README = Path(workbench.__file__).parent / "weights" / "pocket" / "README.md"


def taught(concept: str) -> int:
    """Return the first channel that was taught a concept."""
    text = _README.read_text(encoding="utf-8")
    rows = re.findall(rf"^\| (\d+) \| {concept} \| [\d.]+ \| [\d.]+ \| [\d.]+ \|$", text, re.M)
    assert rows, f"no channel was taught {concept}"
    return int(rows[0])
