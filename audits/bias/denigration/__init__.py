"""How often is a person labelled with a crime or an animal, and does it depend on who is shown?

The probe of the CLIP paper, section 7.1: person labels, four non-human and three crime-related ones, one softmax; and
the same with `child` added, which shows how much the answer depends on the label set.
"""

from __future__ import annotations

from audits.bias.denigration.analyse import analyse
from audits.bias.denigration.score import Settings, plan, score
from audits.bias.denigration.text import HOW_TO_READ, LIMITS
from audits.bias.labelling import texts

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
