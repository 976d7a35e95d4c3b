"""Calibration: when a model says 80 %, is it right in 80 of 100 cases?

Asked for label sets of several sizes, because a softmax over few labels means something else than one over many.
"""

from __future__ import annotations

from audits.calibration.analyse import analyse
from audits.calibration.score import Settings, plan, score
from audits.calibration.text import HOW_TO_READ, LIMITS
from audits.closed_set import texts

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
