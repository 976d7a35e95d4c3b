"""Evaluation: how accurately are images classified by the classes' names, by few labelled images, and by a probe?

Source: Radford et al. 2021, arXiv:2103.00020, sections 3.1.5 and 3.2.
"""

from __future__ import annotations

from audits.closed_set import texts
from audits.evaluation.analyse import analyse
from audits.evaluation.score import Settings, plan, score
from audits.evaluation.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
