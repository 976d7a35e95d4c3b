"""Identity: how error rates grow with a gallery, and for whom errors are more frequent; in aggregate only."""

from __future__ import annotations

from audits.surveillance.identity.analyse import analyse
from audits.surveillance.identity.score import Settings, plan, score, texts
from audits.surveillance.identity.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
