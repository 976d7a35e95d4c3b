"""Who ranks first when images of people are searched with a sentence that names no group?"""

from __future__ import annotations

from audits.bias.labelling import texts
from audits.bias.retrieval_skew.analyse import analyse
from audits.bias.retrieval_skew.score import Settings, plan, score
from audits.bias.retrieval_skew.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
