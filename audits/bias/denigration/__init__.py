"""How often is a person named with a crime or an animal, and does it depend on who is drawn or photographed?

The probe of the CLIP paper, section 7.1: person labels, four non-human and three crime-related ones, one softmax; and
the same with `child` added, which shows how far the answer hangs on the label set.
"""

from __future__ import annotations

from audits.bias.denigration.analyse import analyse
from audits.bias.denigration.score import Settings, plan, score, texts
from audits.bias.denigration.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
