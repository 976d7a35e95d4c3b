"""The CLIP paper's metrics besides accuracy: mean of top 1 and top 5, area under the ROC curve, 11-point mAP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from workbench.errors import BadInput
from workbench.statistics.intervals import Interval, auroc, bootstrap

if TYPE_CHECKING:
    from numpy.typing import NDArray

Metric: TypeAlias = Literal["accuracy", "mean per class", "11-point mAP", "ROC AUC", "mean of top 1 and top 5"]
RESAMPLES = 500  # of the bootstrap of mAP, which sorts anew each time
RECALLS = tuple(step / 10 for step in range(11))


def measured(metric: Metric, chances: NDArray[np.float64], truth: NDArray[Any], *, seed: int) -> Interval | None:
    """Return a metric that accuracy and its mean per class do not give; None for those two.

    Args:
        metric: the data set's; ROC AUC is that of the second of two classes.
        chances: (n, k) probabilities.
        truth: (n,) numbers of classes; for mAP also (n, k) whether an image shows each of them.
        seed: of the bootstrap over images.

    Raises:
        BadInput: ROC AUC of more than two classes.
    """
    if metric == "ROC AUC":
        if chances.shape[1] != 2:
            raise BadInput(f"ROC AUC is measured on two classes; got {chances.shape[1]}.")
        return auroc(chances[:, 1], truth == 1)
    if metric == "mean of top 1 and top 5":
        return bootstrap(top_1_and_5(chances, truth), rng=seed)
    if metric == "11-point mAP":
        shown = truth if truth.ndim == 2 else np.eye(chances.shape[1])[truth]
        rows = np.concatenate([chances, shown], axis=1)
        return bootstrap(rows, _map_of_rows, rng=seed, resamples=RESAMPLES)
    return None


def top_1_and_5(chances: NDArray[np.float64], truth: NDArray[np.intp]) -> NDArray[np.float64]:
    """(n, k) probabilities, (n,) truths -> (n,) 1 where the truth is first, 0.5 where second to fifth, else 0.

    Of equal probabilities the class that stands earlier comes first, as with `argmax`.
    """
    own = chances[np.arange(len(truth)), truth][:, None]
    earlier = np.arange(chances.shape[1]) < truth[:, None]
    before = ((chances > own) | ((chances == own) & earlier)).sum(axis=1)
    answer: NDArray[np.float64] = ((before < 1).astype(float) + (before < 5)) / 2
    return answer


def eleven_point_map(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    """Return the mean over classes of the 11-point interpolated average precision, 0..1.

    Args:
        scores: (n, k) higher means more likely; equal scores keep the order of the images.
        labels: (n, k) whether an image shows a class; several a row are allowed; classes without an image are left out.

    Source:
        Everingham et al. 2010, Int. J. Comput. Vis. 88:303, section 4.2: precision at recall r is the largest
        precision at any recall of r or more; averaged over r = 0, 0.1, … 1.
    """
    pairs = zip(scores.T, labels.T, strict=True)
    return float(np.mean([_eleven_points(column, truth) for column, truth in pairs if truth.any()]))


def _map_of_rows(rows: NDArray[np.float64]) -> float:
    scores, labels = np.split(rows, 2, axis=1)
    return eleven_point_map(scores, labels > 0)


def _eleven_points(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    hits = np.cumsum(truth[np.argsort(-scores, kind="stable")])
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / hits[-1]
    return float(np.mean([precision[recall >= level - 1e-12].max() for level in RECALLS]))
