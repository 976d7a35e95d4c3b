"""The recipe of the shipped model: two towers from packages, joined on photos, words, drawings and rendered scenes.

Needs folders of photos named after WordNet ids, a `node_modules` with names and artwork, and fonts; each that is
missing is named with the package to install. Writes the model's folder in the hub's format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.progress import Progress
    from workbench.training.order import Order


def train(order: Order, *, stopped: Callable[[], bool]) -> Iterator[Progress]:
    """Make the shipped model, or go on with making it; yields a row after each step.

    Args:
        order: `data` names the folder of photos, `out` where the model goes, `model` the image tower: `lite0`,
            `lite2`.
        stopped: asked after each step; what was done is kept.

    Raises:
        BadInput: an ingredient is missing, or the order asks for what this recipe does not do.
    """
    from workbench.training.pocket.making import make
    from workbench.training.pocket.settings import settings

    yield from make(settings(order), order.out, stopped)
