"""One score for a whole video from its frames: CLIP4Clip's mean pooling, the best frame, or the best few.

Source:
    Luo et al. 2021, CLIP4Clip, arXiv:2104.08860, section 3.3 (parameter-free similarity, "meanP").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import unknown_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

POOLINGS = {"mean": "Mean of the frames (meanP)", "max": "Best frame", "top": "Mean of the best frames"}
TOP = 5  # frames of "top"


def pooled_scores(
    videos: Sequence[NDArray[np.float32]], queries: NDArray[np.float32], how: str = "mean"
) -> NDArray[np.float32]:
    """Return the score of each video for each query; (queries, videos).

    Args:
        videos: (frames, dim) unit rows of each, padding left out; an image is a video of one frame.
        queries: (n, dim) unit rows.
        how: one of `POOLINGS`: the cosine with the renormalised mean, the highest cosine, or the mean of the five
            highest.

    Raises:
        UnknownName: another pooling.
    """
    if how not in POOLINGS:
        raise unknown_name("pooling", how, POOLINGS)
    if not videos:
        return np.zeros((len(queries), 0), np.float32)
    if how == "mean":
        means = np.stack([frames.mean(axis=0) for frames in videos])
        cosines_of_means: NDArray[np.float32] = queries @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T
        return cosines_of_means
    columns = []
    for frames in videos:
        cosines = queries @ frames.T
        best = cosines.max(axis=1) if how == "max" else np.sort(cosines, axis=1)[:, -TOP:].mean(axis=1)
        columns.append(best)
    return np.stack(columns, axis=1)
