"""Attacks on the pixels of an image: maximise an objective with the model's own gradients, within a ball."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.attacks.goals import Goal, Loss
from workbench.attacks.norms import Ball, Norm
from workbench.attacks.pgd import apgd, pgd
from workbench.plugins import Table

__all__ = ["ATTACKS", "Ball", "Goal", "Loss", "Norm", "PixelAttack", "apgd", "pgd"]


@dataclass(frozen=True)
class PixelAttack:
    """One way to look for the worst point of a ball."""

    key: str  # what `method` says in a protocol of adversarial/lp
    title: str
    run: str  # "module:function" with the signature of `pgd.pgd`; imported when it attacks
    source: str = ""  # paper and section
    version: int = 1  # rises when equal inputs would give other images


BUILT_IN = (
    PixelAttack("pgd", "Projected gradient descent", "workbench.attacks.pgd:pgd", "Madry et al. 2018, section 2.1"),
    PixelAttack(
        "apgd", "APGD: finds its own step sizes", "workbench.attacks.pgd:apgd", "Croce and Hein 2020, section 3"
    ),
)
ATTACKS: Table[PixelAttack] = Table("attacks", PixelAttack, ("workbench.attacks:BUILT_IN",))
