"""The recipe of the prior: drawings of several free styles, rendered shapes, colours, counts and words.

Never OpenMoji, which is the audits' own artwork.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.progress import Progress
    from workbench.training.order import Order


def train(order: Order, *, stopped: Callable[[], bool]) -> Iterator[Progress]:
    """Make the prior, or go on with making it; yields a row after each step.

    A finished prior that lies in `out` before the first step gives the weights to begin from: so it is brought to
    another model that embeds, or to that model's next edition, in a fraction of the steps.

    Args:
        order: `data` names a `node_modules` with the artwork, `out` where the prior goes, `model` who embeds.
        stopped: asked after each step; what was done is kept.

    Raises:
        BadInput: an ingredient is missing; the message names the package.
    """
    from workbench.training.prior.making import make

    yield from make(order, stopped)
