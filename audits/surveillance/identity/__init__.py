"""Identity: how error rates grow with a gallery, and for whom errors are more frequent; in aggregate only.

Source: Radford et al. 2021, arXiv:2103.00020, section 7.2 and table 8; ISO/IEC 19795-1 for the two error rates.
"""

from __future__ import annotations

from audits.surveillance.identity.analyse import analyse
from audits.surveillance.identity.score import Settings, plan, score, texts
from audits.surveillance.identity.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
