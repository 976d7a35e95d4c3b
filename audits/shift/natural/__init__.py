"""Natural shift: how much does accuracy fall on other kinds of images of the same classes?"""

from __future__ import annotations

from audits.shift.natural.analyse import analyse
from audits.shift.natural.score import Settings, plan, score, texts
from audits.shift.natural.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
