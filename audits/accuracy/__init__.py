"""Accuracy: how accurately are images classified by the classes' names, by few labelled images, and by a probe?

Source: Radford et al. 2021, arXiv:2103.00020, sections 3.1.5 and 3.2.
"""

from __future__ import annotations

from audits.accuracy.analyse import analyse
from audits.accuracy.score import Settings, plan, score
from audits.accuracy.text import HOW_TO_READ, LIMITS
from audits.closed_set import texts

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
