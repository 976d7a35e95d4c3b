"""Counting: does the answer to "how many?" follow the number of things?

Asked twice with the same things, once of one size and once with one total area, to separate counting from judging how
full an image is.
"""

from __future__ import annotations

from audits.limits.counting.analyse import analyse
from audits.limits.counting.score import Settings, plan, score, texts
from audits.limits.counting.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
