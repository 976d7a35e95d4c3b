"""Zero-shot accuracies that open_clip published for models of the catalogue: a prior before anything is measured.

Prompts and class names differ from the paper's, so that some values differ too (MNIST most of all).

Source: open_clip (MIT), `docs/openclip_results.csv` at 89fb801: the models of the catalogue, on the paper's sets.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from workbench.statistics.intervals import Interval, bootstrap

FILE = Path(__file__).with_name("published_zero_shot.csv")
FEWEST = 3  # models that a correlation needs


@dataclass(frozen=True)
class PublishedAccuracies:
    """What was published about one model."""

    model: str  # its key
    parameters: float  # millions, both towers
    gflops: float  # of one image and one text
    zero_shot: Mapping[str, float]  # key of a paper's set -> accuracy, 0..1

    @property
    def mean(self) -> float:
        """Mean accuracy over the sets."""
        return float(np.mean(list(self.zero_shot.values())))


@cache
def published() -> dict[str, PublishedAccuracies]:
    """Return the rows by model key."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first = ("model", "parameters_million", "gflops")
    return {
        row["model"]: PublishedAccuracies(
            row["model"],
            float(row["parameters_million"]),
            float(row["gflops"]),
            {key: float(value) for key, value in row.items() if key not in first},
        )
        for row in rows
    }


def prior_sentence(measured: Mapping[str, float]) -> str:
    """Say how the measured ranking goes together with open_clip's; empty for too few models with published results."""
    correlation = prior(measured)
    if correlation.value is None:
        return ""
    known = sum(key in published() for key in measured)
    bounds = "" if correlation.low is None else f" ({correlation.low:.2f} to {correlation.high:.2f})"
    return (
        f"Rank correlation with open_clip's published zero-shot means: {correlation.value:.2f}{bounds}, {known} models."
    )


def prior(measured: Mapping[str, float], dataset: str | None = None) -> Interval:
    """Return the rank correlation of measured with published accuracies over the models that have both.

    Args:
        measured: model key -> accuracy.
        dataset: key of a paper's set; the mean over all sets where not given.

    Source:
        Spearman 1904; the interval is a bootstrap over models, which few models leave wide.
    """
    rows = published()
    pairs = np.array(
        [
            (value, rows[key].zero_shot[dataset] if dataset else rows[key].mean)
            for key, value in measured.items()
            if key in rows and (dataset is None or dataset in rows[key].zero_shot)
        ]
    ).reshape(-1, 2)
    if len(pairs) < FEWEST:
        return Interval(None, None, None, 0.95, f"undefined: {len(pairs)} models have published results")
    return bootstrap(pairs, _spearman, rng=0)


def _spearman(pairs: np.ndarray) -> float:
    from scipy.stats import rankdata

    ranks = np.stack([rankdata(pairs[:, 0]), rankdata(pairs[:, 1])])
    if (ranks.std(axis=1) == 0).any():
        return 0.0
    return float(np.corrcoef(ranks)[0, 1])
