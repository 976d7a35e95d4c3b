"""The variance of a rate by group and wording, split: how much is due to the group, how much to the words.

Let y(g, l, t) be the rate of group g under label set l and template t: the mean over the group's images. Every group
and every wording counts once, whatever its size, and every image is named under every wording. With bars for means,

    group                G: L T  sum over g (y(g) - y)^2
    label set            L: G T  sum over l (y(l) - y)^2
    template             T: G L  sum over t (y(t) - y)^2
    both                 G sum over l, t (y(l, t) - y)^2 - L - T
    group and wording    what is left of the total: groups that react differently to the words

divided by the total, so that the five shares add up to 1. There is no residual: the cells are the data, and groups and
wordings are those at hand, not a sample of others (fixed effects, unweighted means). The noise of small groups is in
`group` and in `group and wording`; the null says how much: the same sum of squares with groups permuted, as a
part of the observed total (a part of its own total would be 1 whenever no word decides anything).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.bias.label_design.score import TARGET, Settings
from audits.bias.label_design.text import PARTS, RATE, SHARE, finding, rate_range
from audits.contracts import OUTCOME, ModelFacts
from audits.detectable import beyond_chance
from audits.protocol import Protocol as Rules
from workbench.statistics import intervals, p_values
from workbench.statistics.measures import Measure, adjust, number

RESAMPLES = 500
_NOTHING = 1e-12  # a sum of squares that is none


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return the rate under each wording, and the shares of its variance by group and by wording."""
    settings = rules.settings_as(Settings)
    rng = np.random.default_rng(seed)
    measures: list[Measure] = []
    for wording, rows in samples.groupby("label_set", sort=False):
        row = measuring.share(RATE, rows[OUTCOME + TARGET], list(rows["cluster"]), label_set=str(wording))
        measures.append(row)
    compared = settings.compared(samples, but=("labels", "template"))
    attributes = [by[0] for by in compared if samples.loc[samples[by[0]] != "", by[0]].nunique() > 1 and len(by) == 1]
    for attribute in attributes:
        measures += _decomposed(crossed(samples, OUTCOME + TARGET, attribute), attribute, rng)
    measures = adjust(measures)
    findings = [rate_range(measures), *(finding(measures, attribute) for attribute in attributes)]
    return Analysis(measures, findings, list(_figures(measures)))


@dataclass(frozen=True)
class Crossed:
    """Images under wordings: an outcome each, and the group of each image."""

    outcomes: NDArray[np.float64]  # (images, label sets, templates) 0 or 1
    codes: NDArray[np.int64]  # (images,) 0..groups - 1
    groups: tuple[str, ...]
    clusters: tuple[str, ...]  # of each image


def shares(outcomes: NDArray[np.float64], codes: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Return the five shares of `PARTS`, which add up to 1; NaN where nothing varies or a group has no image.

    Args:
        outcomes: (n, label sets, templates).
        codes: (n,) group of each image.
        size: number of groups.
    """
    parts = squares(outcomes, codes, size)
    total = parts.sum()
    return parts / total if total > _NOTHING else np.full(len(PARTS), np.nan)


def squares(outcomes: NDArray[np.float64], codes: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Return the five sums of squares of `PARTS`; NaN where a group has no image. Arguments as for `shares`."""
    hot = np.eye(size)[codes]  # (n, groups)
    counts = hot.sum(axis=0)
    if (counts == 0).any():
        return np.full(len(PARTS), np.nan)
    cells = np.tensordot(hot, outcomes, axes=(0, 0)) / counts[:, None, None]  # (groups, label sets, templates)
    middle = cells.mean()
    groups, sets, templates = cells.shape
    group = sets * templates * float(((cells.mean(axis=(1, 2)) - middle) ** 2).sum())
    labels = groups * templates * float(((cells.mean(axis=(0, 2)) - middle) ** 2).sum())
    template = groups * sets * float(((cells.mean(axis=(0, 1)) - middle) ** 2).sum())
    both = groups * float(((cells.mean(axis=0) - middle) ** 2).sum()) - labels - template
    rest = float(((cells - middle) ** 2).sum()) - group - labels - template - both
    return np.array([group, labels, template, both, rest]).clip(0.0)


def crossed(samples: DataFrame, outcome: str, attribute: str) -> Crossed:
    """Arrange the rows of samples; images without a value of the attribute are left out."""
    rows = samples[samples[attribute] != ""].sort_values("sample_id", kind="stable")
    sets, templates = (list(dict.fromkeys(samples[name])) for name in ("labels", "template"))
    wide = rows.pivot(index="sample_id", columns=["labels", "template"], values=outcome)
    wide = wide.reindex(columns=pd.MultiIndex.from_product([sets, templates]))
    first = rows.drop_duplicates("sample_id").set_index("sample_id").loc[wide.index]
    groups = tuple(sorted(set(first[attribute])))
    codes = np.array([groups.index(value) for value in first[attribute]])
    outcomes = wide.to_numpy(float).reshape(len(wide), len(sets), len(templates))
    return Crossed(outcomes, codes, groups, tuple(first["cluster"]))


def _decomposed(table: Crossed, attribute: str, rng: np.random.Generator) -> Iterator[Measure]:
    size = len(table.groups)
    seen = shares(table.outcomes, table.codes, size)
    total = max(float(squares(table.outcomes, table.codes, size).sum()), _NOTHING)
    null = np.array([squares(table.outcomes, codes, size) for codes in _permuted(table, rng)]) / total
    for at, part in enumerate(PARTS):
        interval = intervals.bootstrap(
            np.arange(len(table.codes)),
            _part_share(table, at),
            rng=rng,
            cluster=measuring.repeated(table.clusters),
            resamples=RESAMPLES,
        )
        about = part.startswith("group") and np.isfinite(seen[at])
        chance = null[np.isfinite(null[:, at]), at]
        row = number(
            SHARE + part,
            interval,
            n=len(table.codes),
            slice_by=attribute,
            contrast="between_groups",
            null_mean=float(chance.mean()) if about else None,
            null_q95=float(np.quantile(chance, 0.95)) if about else None,
            p_value=p_values.resampled((chance >= seen[at] - 1e-12).sum(), len(chance)) if about else None,
            family="variance_share",
        )
        yield beyond_chance(row)


def _part_share(table: Crossed, at: int) -> Callable[[NDArray[np.intp]], float]:
    """Return the share of one part as a function of rows, for resampling."""
    size = len(table.groups)
    return lambda rows: float(shares(table.outcomes[rows], table.codes[rows], size)[at])


def _permuted(table: Crossed, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield the groups in random order: within clusters that hold every group, or by whole clusters."""
    names = pd.factorize(np.array(table.clusters, dtype=object))[0]
    members = [np.flatnonzero(names == name) for name in range(names.max() + 1)]
    held = [set(table.codes[rows].tolist()) for rows in members]
    within = all(len(codes) == len(table.groups) for codes in held)
    whole = all(len(codes) == 1 for codes in held)
    for _ in range(RESAMPLES):
        dealt = table.codes.copy()
        if within:
            for rows in members:
                dealt[rows] = rng.permutation(table.codes[rows])
        elif whole:
            firsts = rng.permutation([table.codes[rows[0]] for rows in members])
            for rows, code in zip(members, firsts, strict=True):
                dealt[rows] = code
        else:
            dealt = rng.permutation(table.codes)
        yield dealt


def _figures(measures: Sequence[Measure]) -> Iterator[Figure]:
    parts = [m for m in measures if m.metric.startswith(SHARE)]
    bars = [(m.metric.removeprefix(SHARE).replace("_", " "), m.value, m.ci_low, m.ci_high, m.slice_by) for m in parts]
    columns = ["name", "value", "low", "high", "series"]
    if bars:
        alt = "Share of the variance of the rate due to each part, with intervals; one series per attribute."
        data = pd.DataFrame(bars, columns=columns)
        yield Figure(
            "variance-shares", "What the rate depends on", "bars", data, x="share of variance", y="part", alt=alt
        )
    rows = [m for m in measures if m.metric == RATE]
    pairs = [m.label_set.split(" | ", 1) for m in rows]
    data = pd.DataFrame(
        [(name[0], m.value, m.ci_low, m.ci_high, name[-1]) for name, m in zip(pairs, rows, strict=True)]
    )
    data.columns = pd.Index(columns)
    alt = "Rate of target labels by label set; one dot with its interval per template."
    yield Figure("rate-by-wording", "Rate under each wording", "intervals", data, x="rate", y="label set", alt=alt)
