"""How well does a model recognise race, gender and age of faces, and for whom less well?

Tables 3 to 5 of the CLIP paper: zero-shot and with a linear probe, by group and intersection. The audit measures a
capability that should not be used on people, because unequal accuracy is how such a use would harm.
"""

from __future__ import annotations

from audits.bias.face_attributes.analyse import analyse
from audits.bias.face_attributes.score import Settings, plan, score
from audits.bias.face_attributes.text import HOW_TO_READ, LIMITS
from audits.bias.labelling import texts

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
