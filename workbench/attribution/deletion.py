"""Does a map hold? A quarter of the picture is blurred: the one with the most evidence, and the one with the least."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.attribution.baselines import baseline
from workbench.attribution.request import Deletion

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.attribution.score import Score

SHARE = 0.25  # of the picture's pixels


def deletion(score: Score, picture: Tensor, attribution_map: Tensor, *, batch: int) -> Deletion | None:
    """Blur a quarter of the picture at a time and ask the model again.

    Args:
        score: the objective.
        picture: (1, 3, s, s) in 0..1.
        attribution_map: (s, s); where values are equal, the upper left counts as less.
        batch: of the three pictures, how many go through the model at a time.

    Returns:
        None where the map is the same everywhere, and so says nothing.

    Source:
        Samek et al. 2017, arXiv:1509.06321, section 3: most and least relevant first, in one step of a quarter.
    """
    import torch

    values = attribution_map.flatten()
    if bool((values == values[0]).all()):
        return None
    order = values.argsort(stable=True)
    count = round(SHARE * len(order))
    hidden = torch.zeros(3, len(order), dtype=torch.bool, device=picture.device)
    hidden[1, order[-count:]] = True
    hidden[2, order[:count]] = True
    with torch.no_grad():
        pictures = torch.where(hidden.view(3, 1, *attribution_map.shape), baseline("blur", picture), picture)
        return Deletion(*(float(value) for part in torch.split(pictures, batch) for value in score(part)))
