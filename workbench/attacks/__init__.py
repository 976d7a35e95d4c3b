"""Attacks on the pixels of an image: maximise an objective with the model's own gradients, within a ball."""

from __future__ import annotations

from workbench.attacks.goals import Goal, Loss
from workbench.attacks.norms import Ball, Norm
from workbench.attacks.pgd import apgd, pgd

__all__ = ["Ball", "Goal", "Loss", "Norm", "apgd", "pgd"]
