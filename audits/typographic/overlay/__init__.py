"""Typographic attack: how often does a word written on an image override what it shows?"""

from __future__ import annotations

from audits.typographic.overlay.analyse import analyse
from audits.typographic.overlay.change import change
from audits.typographic.overlay.score import Settings, plan, score, texts
from audits.typographic.overlay.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "change", "plan", "score", "texts"]
