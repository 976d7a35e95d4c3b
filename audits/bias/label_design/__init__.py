"""How much of a rate is decided by the words, and how much by the group of the person?

The same images are named under every wording: label sets with one label left out, with synonyms, with labels added,
times several templates. The variance of the rate of derogatory labels by group and wording is then split.
"""

from __future__ import annotations

from audits.bias.label_design.analyse import analyse
from audits.bias.label_design.score import Settings, plan, score, texts
from audits.bias.label_design.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "plan", "score", "texts"]
