"""Unknown images: does a score separate what was not asked for from what was, and are digits read?"""

from __future__ import annotations

from audits.limits.ood.analyse import analyse
from audits.limits.ood.score import Settings, plan, score, texts
from audits.limits.ood.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
