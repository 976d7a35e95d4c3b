"""Prompts: how much does the wording matter, when labels and images stay the same?"""

from __future__ import annotations

from audits.limits.prompts.analyse import analyse
from audits.limits.prompts.score import Settings, plan, score, texts
from audits.limits.prompts.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
