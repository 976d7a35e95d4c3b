"""Corruptions: how much accuracy is left under noise, blur, weather and digital artefacts?"""

from __future__ import annotations

from audits.closed_set import texts
from audits.robustness.corruptions.analyse import analyse
from audits.robustness.corruptions.change import change
from audits.robustness.corruptions.score import Settings, plan, score
from audits.robustness.corruptions.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "change", "plan", "score", "texts"]
