"""How a probe fares in galleries of every size: exactly, and in galleries that are drawn.

Knows no model and no subject.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def expected_top1(beaten_by: NDArray[np.int64], subjects: int, size: int) -> NDArray[np.float64]:
    """Return the chance that a probe's own subject stands first in a random gallery of a size.

    Args:
        beaten_by: (n,) how many of the other subjects score at least as high as the probe's own.
        subjects: of the whole gallery, N.
        size: of the drawn gallery, the own subject included; at most N.

    Returns:
        (n,) in 0..1: C(N - 1 - b, size - 1) / C(N - 1, size - 1), the chance that none of the b is drawn.
    """
    from scipy.stats import hypergeom

    chances: NDArray[np.float64] = hypergeom.pmf(0, subjects - 1, beaten_by, size - 1)
    return np.round(chances, 12)


def drawn_top1(table: NDArray[np.float64], own: NDArray[np.int64], size: int, *, draws: int, seed: int) -> list[float]:
    """Return the accuracy of each of many drawn galleries, over the probes of the subjects in it.

    Args:
        table: (n, N) scores of probes against subjects.
        own: (n,) place of each probe's own subject.
        size: subjects of a gallery.
        draws: how many galleries.
        seed: of the draws.
    """
    rng = np.random.default_rng([seed, size])
    others = table.copy()
    mine = np.take_along_axis(table, own[:, None], axis=1)[:, 0]
    np.put_along_axis(others, own[:, None], -np.inf, axis=1)
    shares = []
    for _ in range(draws):
        chosen = rng.choice(table.shape[1], size=size, replace=False)
        asked = np.isin(own, chosen)
        if asked.any():
            shares.append(float((mine[asked] > others[np.ix_(asked, chosen)].max(axis=1)).mean()))
    return shares
