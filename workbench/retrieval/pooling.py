"""One score for a whole video from its frames: CLIP4Clip's mean pooling, the best frame, or the best few.

Source:
    Luo et al. 2021, CLIP4Clip, arXiv:2104.08860, section 3.3 (parameter-free similarity, "meanP").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import unknown_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

POOLINGS = {"mean": "Mean of the frames (meanP)", "max": "Best frame", "top": "Mean of the best frames"}
TOP = 5  # frames of "top"


def pooled_score(frames: NDArray[np.float32], vector: NDArray[np.float32], how: str = "mean") -> float:
    """Return the score of a video for a query.

    Args:
        frames: (n, dim) unit rows, padding left out.
        vector: (dim,) of unit length.
        how: one of `POOLINGS`: the cosine with the renormalised mean, the highest cosine, or the mean of the five
            highest.

    Raises:
        UnknownName: another pooling.
    """
    if how not in POOLINGS:
        raise unknown_name("pooling", how, POOLINGS)
    if how == "mean":
        mean = frames.mean(axis=0)
        return float(mean @ vector / max(float(np.linalg.norm(mean)), 1e-12))
    cosines = np.sort(frames @ vector)[::-1]
    return float(cosines[0] if how == "max" else cosines[:TOP].mean())
