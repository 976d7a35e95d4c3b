"""Flags for images that show none of the classes; the threshold comes from the user's own images.

Source: Ming et al. 2022, arXiv:2211.13445 (MCM); Hendrycks and Gimpel 2017, arXiv:1610.02136; Liu et al. 2020,
arXiv:2010.03759 (energy); Sun et al. 2022, arXiv:2204.06507 (nearest neighbours).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import BadInput
from workbench.probes.labelled import TEST, LabelledImages
from workbench.statistics.intervals import Interval, Share, auroc, proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.probes.embedding import ImageFeatures
    from workbench.probes.text_weights import TextWeights

KEPT = 0.95  # share of one's own images that stay unflagged
NEIGHBOURS = 5


@dataclass(frozen=True)
class Flag:
    """One score: high for images of the classes."""

    score: str
    threshold: float  # images below it are flagged
    kept: Share  # of own test images that stay unflagged
    flagged: Share | None = None  # of outside images; 1 minus the false positive rate at 95 %
    area: Interval | None = None  # under the ROC curve, own test images against outside ones


def known_scores(
    embeddings: NDArray[np.float32], texts: TextWeights, support: NDArray[np.float32]
) -> Mapping[str, NDArray[np.float64]]:
    """Return each score of n images, larger for images of the classes.

    Args:
        embeddings: (n, dim) unit rows.
        texts: the classes' sentences.
        support: (m, dim) unit rows of labelled images that are none of the n.
    """
    from scipy.special import logsumexp, softmax

    cosines = (embeddings @ texts.weights.T).astype(np.float64)
    scaled = texts.scale * cosines
    chances = softmax(scaled, axis=1)
    near = np.sort(embeddings @ support.T, axis=1)[:, -min(NEIGHBOURS, len(support))].astype(np.float64)
    return {
        "mcm": softmax(cosines, axis=1).max(axis=1),
        "largest cosine": cosines.max(axis=1),
        "largest probability": chances.max(axis=1),
        "entropy": (chances * np.log(chances.clip(1e-30))).sum(axis=1),  # negative: sure answers are high
        "energy": logsumexp(scaled, axis=1),
        "nearest labelled images": near,
    }


def flags(
    made: ImageFeatures,
    images: LabelledImages,
    texts: TextWeights,
    *,
    outside: ImageFeatures | None = None,
    kept: float = KEPT,
) -> list[Flag]:
    """Set each score's threshold on half of the images that are not for testing; measure it on the test images.

    The other half is the support of the nearest neighbours.

    Args:
        made: what a model makes of the images.
        images: the images, all readable.
        texts: the classes' sentences.
        outside: images that show none of the classes, which nothing is set on.
        kept: share of own images that stays unflagged.

    Raises:
        BadInput: a share outside of 0..1, or too few images for a threshold.
    """
    if not 0.5 <= kept < 1:
        raise BadInput(f"The share of own images that stays lies between 0.5 and 1; got {kept}.")
    test = images.rows(TEST)
    free = np.random.default_rng(images.seed).permutation(np.flatnonzero(~test))
    setting, support = free[: len(free) // 2], made.embeddings[free[len(free) // 2 :]]
    if len(setting) < 1 / (1 - kept):
        raise BadInput(
            f"A threshold that keeps {100 * kept:g} % takes {1 / (1 - kept):.0f} images; got {len(setting)}."
        )
    score: Callable[[NDArray[np.float32]], Mapping[str, NDArray[np.float64]]] = lambda rows: known_scores(  # noqa: E731
        rows, texts, support
    )
    own, tested = score(made.embeddings[setting]), score(made.embeddings[test])
    there = score(outside.embeddings) if outside is not None else {}
    answer = []
    for name, values in own.items():
        threshold = float(np.sort(values)[int(np.floor((1 - kept) * (len(values) + 1))) - 1])
        stays = tested[name] >= threshold
        share = proportion(int(stays.sum()), len(stays))
        if not there:
            answer.append(Flag(name, threshold, share))
            continue
        out = there[name] < threshold
        both = np.concatenate([tested[name], there[name]])
        truth = np.arange(len(both)) < len(tested[name])
        answer.append(Flag(name, threshold, share, proportion(int(out.sum()), len(out)), auroc(both, truth)))
    return answer
