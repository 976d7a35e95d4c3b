"""Each label against the two sides, with a test; and accuracy by group."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from audits import detectable, simpson
from audits.analysis import Figure
from audits.bias import groups
from audits.bias.occupations.score import ACCURACY, Settings, above
from audits.bias.occupations.text import ALPHA, sentences
from audits.contracts import OUTCOME
from audits.settings import read_settings
from audits.shares import counted, held
from audits.simpson import Gap
from workbench.statistics import clusters, differences
from workbench.statistics.measures import Measure, number

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.analysis import Analysis
    from audits.contracts import ModelFacts
    from audits.protocol import Protocol as Rules

TURNED = "Labels whose direction turns round with a second attribute held fixed"


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Chi-square of each label against the two sides, corrected; and the accuracy by group."""
    settings = read_settings(Settings, rules)
    study = groups.Study(samples, rules, settings, rng=np.random.default_rng(seed))
    tagged = [
        _tagged(samples, rules, settings, one) for one in itertools.product(rules.label_sets, settings.thresholds)
    ]
    for one in tagged:
        study.measures += gendered(one)
    for label_set in rules.label_sets:
        if samples.loc[samples["label_set"] == label_set, OUTCOME + ACCURACY].notna().any() and settings.slice_by:
            study.shares(ACCURACY, label_set)
    found = study.analysis(
        lambda metric: "the share of pictures whose likeliest label is the right occupation", figures=[ACCURACY]
    )
    charts = [chart(found.measures, one, most=settings.most) for one in tagged]
    said = [sentence for one in tagged for sentence in sentences(found.measures, one)]
    found = dataclasses.replace(
        found,
        findings=[*said, *found.findings],
        figures=[*(figure for figure in charts if figure is not None), *found.figures],
    )
    rows = {name: samples[samples["label_set"] == name] for name in rules.label_sets}
    lean = [gap for one in tagged for gap in leaning(found.measures, one, rows[one.label_set])]
    return simpson.added(found, lean, sorted(detectable.attributes_of(samples)), title=TURNED)


def _tagged(samples: DataFrame, rules: Rules, settings: Settings, which: tuple[str, float]) -> Tagged:
    label_set, threshold = which
    rows = samples[samples["label_set"] == label_set]
    return Tagged(
        label_set=label_set,
        threshold=threshold,
        labels=rules.label_sets[label_set].labels,
        given=tuple(frozenset(row) for row in rows[above(threshold)]),
        side=tuple(rows[settings.attribute]),
        clusters=tuple(rows["cluster"]),
        attribute=settings.attribute,
        sides=settings.sides,
    )


@dataclass(frozen=True)
class Tagged:
    """The pictures of two sides, and the labels that each was given above a threshold."""

    label_set: str
    threshold: float  # probability, 0..1
    labels: tuple[str, ...]  # all that could be given
    given: tuple[frozenset[str], ...]  # a picture
    side: tuple[str, ...]  # of each picture
    clusters: tuple[str, ...]
    attribute: str
    sides: tuple[str, str]

    @property
    def metric(self) -> str:
        """How its measures are called: "labelled>0.005"."""
        return f"labelled>{self.threshold:g}"

    def covers(self, measure: Measure) -> bool:
        """Whether a measure is about this label set and threshold."""
        return measure.metric == self.metric and measure.label_set == self.label_set


def gendered(tagged: Tagged) -> Iterator[Measure]:
    """Measure every label that was given at all: its share on each side, and the difference with its score test.

    Source:
        Radford et al. 2021, arXiv:2103.00020, figure 18: chi-square of label against gender at a threshold of 0.5 %.
        The score test is that chi-square times (N - 1) / N; where images are clustered, effective counts.
    """
    occurring = {label for labels in tagged.given for label in labels}
    places = {side: [at for at, one in enumerate(tagged.side) if one == side] for side in tagged.sides}
    for label in sorted(occurring & set(tagged.labels)):
        hits = {side: np.array([label in tagged.given[at] for at in rows], float) for side, rows in places.items()}
        counts = {side: _counts(values, [tagged.clusters[at] for at in places[side]]) for side, values in hits.items()}
        for side, values in hits.items():
            names = [tagged.clusters[at] for at in places[side]]
            slice = {tagged.attribute: side, "label": label}
            yield counted(tagged.metric, values, cluster=names, label_set=tagged.label_set, slice=slice)
        yield _difference(tagged, label, hits=hits, counts=counts)


def _difference(
    tagged: Tagged,
    label: str,
    *,
    hits: dict[str, np.ndarray],
    counts: dict[str, tuple[int, int]],
) -> Measure:
    first, second = tagged.sides
    value = float(hits[first].mean() - hits[second].mean())
    varies = 0 < sum(k for k, _ in counts.values()) < sum(n for _, n in counts.values())
    return number(
        tagged.metric,
        held(differences.difference(counts[first], counts[second]), value),
        n=sum(len(values) for values in hits.values()),
        label_set=tagged.label_set,
        slice={"label": label},
        unit="difference",
        contrast="to_reference",
        reference=f"{first} minus {second}",
        p_value=differences.difference_test(counts[first], counts[second]) if varies else None,
        family=f"{tagged.metric}|{tagged.label_set}",
    )


def leaning(measures: Sequence[Measure], tagged: Tagged, rows: pd.DataFrame) -> Iterator[Gap]:
    """Yield the labels that lean to a side beyond chance as gaps whose direction can be looked into.

    Args:
        measures: with `p_adj` filled in.
        tagged: the pictures.
        rows: of the same pictures in the same order, with their attributes.
    """
    for m in measures:
        if tagged.covers(m) and m.contrast == "to_reference" and m.p_adj is not None and m.p_adj < ALPHA:
            label = m.slice["label"]
            given = rows.assign(value=[float(label in labels) for labels in tagged.given])
            yield Gap(m, f"The label “{label}” above {100 * tagged.threshold:g} %", tagged.attribute, given)


def chart(measures: Sequence[Measure], tagged: Tagged, *, most: int) -> Figure | None:
    """Draw the labels with the smallest p of each side, the most frequent first; None where no label was given."""
    kept = [m for m in measures if tagged.covers(m)]
    rows: list[tuple[str, float | None, float | None, float | None, str]] = []
    for side, sign in zip(tagged.sides, (1, -1), strict=True):
        lean = [m for m in kept if m.contrast == "to_reference" and sign * (m.value or 0) > 0]
        lean = sorted(lean, key=lambda m: (m.p_value if m.p_value is not None else 1.0, m.slice["label"]))[:most]
        names = {m.slice["label"] for m in lean}
        shares = [m for m in kept if m.contrast == "none" and m.slice["label"] in names]
        own = {m.slice["label"]: m.value or 0.0 for m in shares if m.slice[tagged.attribute] == side}
        shares.sort(
            key=lambda m: (-own[m.slice["label"]], m.slice["label"], tagged.sides.index(m.slice[tagged.attribute]))
        )
        rows += [(m.slice["label"], m.value, m.ci_low, m.ci_high, m.slice[tagged.attribute]) for m in shares]
    if not rows:
        return None
    data = pd.DataFrame(rows, columns=["name", "value", "low", "high", "series"])
    told = f"{100 * tagged.threshold:g} %"
    return Figure(
        f"labels-above-{tagged.threshold:g}-{tagged.label_set.replace(' ', '-')}".replace(".", "-"),
        f"Labels above {told}, most different first by {tagged.attribute}: {tagged.label_set}",
        "bars",
        data,
        x="share of pictures with the label",
        y="label",
        alt=f"Bars: share of pictures of each {tagged.attribute} that got the label above {told}.",
    )


def _counts(values: np.ndarray, names: list[str]) -> tuple[int, int]:
    return clusters.effective(values, names if len(set(names)) < len(names) else None)
