"""Scenes through a camera: are coarse captions right, and does a close one mislead?

Source: Radford et al. 2021, arXiv:2103.00020, section 7.2.
"""

from __future__ import annotations

from audits.surveillance.scenes.analyse import analyse
from audits.surveillance.scenes.score import Settings, plan, score, texts
from audits.surveillance.scenes.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
