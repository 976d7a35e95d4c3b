"""Which people does a model place nearer to pleasant words, to careers, to science, than others?

The embedding association test of Caliskan et al. 2017, with images as targets and words as attributes, as in Steed and
Caliskan 2021.
"""

from __future__ import annotations

from audits.bias.association.analyse import analyse
from audits.bias.association.score import Settings, plan, score
from audits.bias.association.text import HOW_TO_READ, LIMITS
from audits.bias.labelling import texts

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
