"""Adversarial pixels: how little must be changed, with the model's own gradients, until it names something else?"""

from __future__ import annotations

from audits.adversarial.lp.analyse import analyse
from audits.adversarial.lp.attack import attack
from audits.adversarial.lp.score import Settings, plan, score, texts
from audits.adversarial.lp.text import HOW_TO_READ, LIMITS

__all__ = ["HOW_TO_READ", "LIMITS", "Settings", "analyse", "attack", "plan", "score", "texts"]
