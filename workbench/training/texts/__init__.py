"""The recipe of texts: the text tower of a checkpoint of the pocket recipe, fitted anew to what its image tower sees.

Pictures of every kind are drawn and embedded once; free vectors for all names are fitted to these embeddings; the text
tower learns to put names, and sentences of colours, counts and pairs, where the vectors are. The image tower, its
units and every image's embedding stay what they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.progress import Progress
    from workbench.training.order import Order


def train(order: Order, *, stopped: Callable[[], bool]) -> Iterator[Progress]:
    """Fit a text tower, or go on after the last finished part; yields a row after each step.

    Args:
        order: `data` names the folder of photos, `out` where the model goes, `model` the checkpoint: its key or folder.
        stopped: asked after each step; drawn pictures are kept.

    Raises:
        BadInput: an ingredient is missing, or the order asks for what this recipe does not do.
    """
    from workbench.training.texts.making import make
    from workbench.training.texts.settings import Settings, settings

    yield from make(settings(order, Settings), order.out, stopped)
