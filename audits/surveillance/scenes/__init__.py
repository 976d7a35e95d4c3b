"""Scenes through a camera: are coarse captions right, and does a close one mislead?"""

from __future__ import annotations

from audits.surveillance.scenes.analyse import analyse
from audits.surveillance.scenes.score import Settings, plan, score, texts
from audits.surveillance.scenes.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
