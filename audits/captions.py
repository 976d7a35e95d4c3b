"""Images with a true caption and one to three that are false: which does a model choose, and what is chance?

Columns of a data set: `caption`, `negative`, and `negative_2` and `negative_3` where there are more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from audits.answers import DECIMALS, ensemble, prompts
from audits.datasets.dataset import Dataset
from workbench.statistics import intervals
from workbench.statistics.measures import Measure

NEGATIVES = ("negative", "negative_2", "negative_3")
TIE = 2e-6  # cosines no further apart are equal: rounding alone moves them so far


def with_article(name: str) -> str:
    """Return a name behind its indefinite article: "an apple"; one that has an article stays as it is."""
    if name.lower().startswith(("a ", "an ", "the ")):
        return name
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def captions(table: DataFrame) -> list[str]:
    """Return every caption of a table once, the true and the false ones, sorted."""
    columns = [name for name in ("caption", *NEGATIVES) if name in table.columns]
    return sorted({str(cell) for name in columns for cell in table[name] if cell})


def usable(dataset: Dataset) -> list[str]:
    """Return the ids of the images that have a true caption and a false one, sorted."""
    table = dataset.table
    return sorted(table.loc[(table["caption"] != "") & (table["negative"] != ""), "sample_id"])


def vectors(
    texts: Mapping[str, NDArray[np.float32]], every: Sequence[str], templates: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Return the direction of each caption, its templates averaged: caption -> (dim,), unit length."""
    rows = ensemble(texts, [prompts([caption], templates) for caption in every])
    return dict(zip(every, rows, strict=True))


def chosen(rows: DataFrame, images: NDArray[np.float32], directions: Mapping[str, NDArray[np.float64]]) -> DataFrame:
    """Compare the true caption of each image with its false ones.

    Args:
        rows: n images with their captions.
        images: (n, dim), unit rows.
        directions: of every caption.

    Returns:
        n rows: `right` (1: the true caption is nearest), `tied` (1: another is as near, within `TIE`), `chance` (the
        share that guesses get right) and `scores` (cosines, the true caption first).
    """
    parts = []
    columns = [name for name in ("caption", *NEGATIVES) if name in rows.columns]
    for image, cells in zip(images, rows[columns].itertuples(index=False, name=None), strict=True):
        cosines = [float(image.astype(np.float64) @ directions[str(cell)]) for cell in cells if cell]
        margin = cosines[0] - max(cosines[1:])
        parts.append((float(margin > TIE), float(abs(margin) <= TIE), 1 / len(cosines), cosines))
    return DataFrame(parts, columns=["right", "tied", "chance", "scores"])


def ranks_of_own(
    rows: DataFrame, images: NDArray[np.float32], directions: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.int_]:
    """Return how many of the n images are nearer to each caption than its own image; (n,), 0 is best."""
    stack = np.stack([directions[str(caption)] for caption in rows["caption"]])
    table = np.round(stack @ images.astype(np.float64).T, DECIMALS)
    return np.asarray((table > table.diagonal()[:, None]).sum(axis=1))


def beside_chance(measure: Measure, chance: float) -> Measure:
    """Return a share beside the one that guesses give, with an exact binomial test against it.

    Clusters count as in the share's interval: by the number of independent images that they are worth.
    """
    from scipy.stats import binom, binomtest

    n = int(measure.n_effective or 0)
    if measure.value is None or not n:
        return measure
    k = round(measure.value * n)
    return replace(
        measure,
        null_mean=chance,
        null_q95=float(binom.ppf(0.95, n, chance)) / n,
        p_value=float(binomtest(k, n, chance).pvalue),
        at_level=lambda level: intervals.proportion(k, n, level=level),
    )
