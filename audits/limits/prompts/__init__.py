"""Prompts: how much does the wording decide, when labels and pictures stay the same?

Every template is asked with the same pictures, so that the spread between templates is compared with what chance would
make of it.
"""

from __future__ import annotations

from audits.limits.prompts.analyse import analyse
from audits.limits.prompts.score import Settings, plan, score, texts
from audits.limits.prompts.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
