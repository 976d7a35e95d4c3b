"""A linear probe for which each class's sentence is one more training image.

Source: Lin et al. 2023, arXiv:2301.06267, section 3 (cross-modal linear probing). There the loss is minimised by AdamW
over a grid of settings; here by L-BFGS to its optimum, with the L2 penalty as the one setting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.probes.few_shot import STRENGTHS
from workbench.probes.logistic import TOLERANCE, Logistic, rotated, solve
from workbench.probes.strength import validation_score

if TYPE_CHECKING:
    from workbench.probes.adapters.support import Scorer, Support


def cross_modal(support: Support) -> Scorer:
    """Fit on images and sentences; the penalty is chosen on judging images."""
    import torch

    chosen = [_fitted(support, drawing) for drawing in range(len(support.images))]
    return lambda rows, drawing: torch.as_tensor(chosen[drawing].logits(rows.numpy()))


def _fitted(support: Support, drawing: int) -> Logistic:
    import torch

    inputs = rotated(torch.cat([support.images[drawing], support.texts]).numpy())
    y = np.concatenate([support.y.numpy(), np.arange(len(support.texts))])
    tried = [solve(inputs, y, strength, tolerance=TOLERANCE) for strength in STRENGTHS]
    judges, truth = support.judges[drawing].numpy(), support.judged.numpy()
    return max(tried, key=lambda one: validation_score(one, judges, truth))
