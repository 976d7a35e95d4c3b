"""The weakest slice: which combination of attributes does the model serve worst?

A shallow tree over the attributes searches one half of the clusters; what it finds is tested on the other half, which
the search did not see. So the search needs no further correction, and a slice that was only unlucky does not return.

Source:
    Athey and Imbens 2016, PNAS 113:7353 (honest trees); Chung et al. 2019, arXiv:1807.06068 (slice finding by trees).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from audits import measuring, slicing
from audits.analysis import Analysis, Finding
from audits.contracts import OUTCOME
from audits.findings import amount, detectable, strength
from audits.seeds import generator
from workbench.statistics.clusters import effective
from workbench.statistics.differences import difference, difference_test
from workbench.statistics.measures import Measure, number
from workbench.statistics.power import minimum_detectable_difference
from workbench.statistics.row import SUPPRESSED

DEPTH = 2  # conditions of a slice
FEWEST = 120  # images of a search
MOST = 6  # searches of one audit
PREFIX, OTHERS = "weakest_slice.", "all others; slice: "


@dataclass(frozen=True)
class Condition:
    """One branch of the tree."""

    attribute: str
    value: str
    equal: bool

    def holds(self, rows: DataFrame) -> NDArray[np.bool_]:
        """(n,) whether each row fulfils it."""
        same: NDArray[np.bool_] = (rows[self.attribute] == self.value).to_numpy(bool)
        return same if self.equal else ~same

    def __str__(self) -> str:
        return f"{self.attribute.replace('_', ' ')} {'is' if self.equal else 'is not'} {self.value}"


def added(analysis: Analysis, samples: DataFrame, attributes: Sequence[str], *, seed: int) -> Analysis:
    """Return the analysis with the weakest slice of each accuracy, as a measure and a finding.

    `attributes` are those of the images that have 2 to 12 values.
    """
    rows = [
        row
        for metric, label_set, part in list(_searched(samples))[:MOST]
        if (row := weakest(part, metric, attributes, seed=seed, label_set=label_set)) is not None
    ]
    # each search is a family of its own: it is tested once
    rows = [replace(row, p_adj=row.p_value, correction="holm", n_tests=1) for row in rows]
    findings = [*analysis.findings, *(_finding(row) for row in rows)]
    return replace(analysis, measures=[*analysis.measures, *rows], findings=findings)


def weakest(
    samples: DataFrame, metric: str, attributes: Sequence[str], *, seed: int, label_set: str = ""
) -> Measure | None:
    """Return the share of the weakest slice minus that of all other images, on the half that was not searched.

    `samples` have one row an image. Attributes that follow from what the model was to predict are left out, and those
    from which it follows.

    Returns:
        None where there are fewer than 120 images, or no slice with 30 images in each half.
    """
    from sklearn.tree import DecisionTreeClassifier

    rows = samples[samples[OUTCOME + metric].notna()]
    given = [one for one in attributes if not (slicing.follows(rows, one) or slicing.divides_truth(rows, [one]))]
    columns = [(name, value) for name in given for value in sorted(set(rows[name]) - {""})]
    if len(rows) < FEWEST or not columns:
        return None
    right = rows[OUTCOME + metric].to_numpy(float)
    names = sorted(set(rows["cluster"]))
    half = generator(seed, "weakest slice", metric, label_set).permutation(len(names))[: len(names) // 2]
    searched = rows["cluster"].isin({names[at] for at in half}).to_numpy(bool)
    hot = np.column_stack([(rows[name] == value).to_numpy(float) for name, value in columns])
    tree = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=SUPPRESSED, random_state=0)
    if len(set(right[searched])) < 2:
        return None
    tree.fit(hot[searched], right[searched])
    where = tree.apply(hot)
    leaves = {leaf: right[searched & (where == leaf)].mean() for leaf in sorted(set(where[searched]))}
    leaf = min(leaves, key=lambda one: float(leaves[one]))
    inside = where == leaf
    counts = [int((inside & ~searched).sum()), int((~inside & ~searched).sum())]
    if len(leaves) < 2 or min(counts) < SUPPRESSED:
        return None
    conditions = [_condition(columns, at, equal) for at, equal in _path(tree.tree_, leaf)]
    parts = (rows[inside & ~searched], rows[~inside & ~searched])
    row = _row(metric, parts, " and ".join(map(str, conditions)), label_set=label_set)
    return replace(row, slice_by=",".join(dict.fromkeys(one.attribute for one in conditions)))


def _condition(columns: Sequence[tuple[str, str]], at: int, equal: bool) -> Condition:
    """Return a branch; not to have one of two values is to have the other."""
    name, value = columns[at]
    others = [other for attribute, other in columns if attribute == name and other != value]
    return Condition(name, value, equal) if equal or len(others) > 1 else Condition(name, others[0], True)


def _row(metric: str, parts: Sequence[DataFrame], where: str, *, label_set: str) -> Measure:
    """Return the difference between a slice and the rest, with the score interval and test of two shares."""
    outcomes = [part[OUTCOME + metric].to_numpy(float) for part in parts]
    pairs = [
        effective(right, measuring.repeated(list(part["cluster"]))) for right, part in zip(outcomes, parts, strict=True)
    ]
    (k, n), (others, m) = pairs
    apart = float(outcomes[0].mean() - outcomes[1].mean())
    row = number(
        PREFIX + metric,
        measuring.widened(difference((k, n), (others, m)), apart),
        n=len(parts[0]),
        label_set=label_set,
        unit="difference",
        contrast="to_reference",
        direction="higher",
        reference=f"{OTHERS}{where}",
        p_value=difference_test((k, n), (others, m)),
    )
    return replace(row, detectable=minimum_detectable_difference(n, round(others / m, 3), others=m).smallest)


def _searched(samples: DataFrame) -> Iterator[tuple[str, str, DataFrame]]:
    """Yield each accuracy that is 0 or 1 for single images, by label set."""
    metrics = [str(name).removeprefix(OUTCOME) for name in samples if str(name).startswith(f"{OUTCOME}accuracy")]
    for label_set, part in samples.groupby("label_set", sort=True):
        for metric in metrics:
            outcome = part[OUTCOME + metric].dropna().astype(float)
            whole = part.loc[outcome.index]
            if len(whole) and whole["sample_id"].is_unique and np.isin(outcome, (0.0, 1.0)).all():
                yield metric, str(label_set), whole


def _path(tree: Any, leaf: int) -> list[tuple[int, bool]]:
    """Return the columns on the way to a leaf, and whether each is 1 there."""
    parents = {int(child): (at, child == tree.children_right[at]) for at in range(tree.node_count)
               for child in (tree.children_left[at], tree.children_right[at]) if child >= 0}  # fmt: skip
    path: list[tuple[int, bool]] = []
    while leaf in parents:
        leaf, equal = parents[leaf]
        path.append((int(tree.feature[leaf]), bool(equal)))
    return path[::-1]


def _finding(row: Measure) -> Finding:
    """Say where the model is weakest, and whether that held on images that the search did not see."""
    name = row.metric.removeprefix(PREFIX).replace(".", " of ").replace("_", " ")
    where = row.reference.removeprefix(OTHERS)
    labels = f" (labels: {row.label_set})" if row.label_set else ""
    kind = strength(row)
    if kind == "found" and (row.value or 0.0) > 0:  # on the other half it was not the weakest
        kind = "no evidence"
    starts = {"found": "Found:", "equivalent": "Equivalent within 3 points:"}
    start = starts.get(kind, "No evidence that")
    text = f"{start} {name} is lowest where {where}{labels}: {amount(row)} against all others, on images not searched."
    more = detectable(row) if kind == "no evidence" else ""
    return Finding(text + more, kind, row.metric, row.slice, row.value, row.p_adj, row.n, by=row.slice_by)
