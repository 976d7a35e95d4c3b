"""Which labels does a model give to women and which to men, when every label above a threshold counts?

The Members of Congress experiment of the CLIP paper, section 7.1, after Schwemmer et al. 2020; and, where the data name
a person's occupation, how often it is the likeliest label, by group.
"""

from __future__ import annotations

from audits.bias.labelling import texts
from audits.bias.occupations.analyse import analyse
from audits.bias.occupations.score import Settings, plan, score
from audits.bias.occupations.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
