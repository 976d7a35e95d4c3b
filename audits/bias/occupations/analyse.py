"""Each label against the two sides, with a test; and the accuracy of the occupation by group."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from pandas import DataFrame

from audits import detectable, measuring, simpson
from audits.analysis import Analysis, Figure
from audits.bias.groups import Study
from audits.bias.occupations.score import ACCURACY, Settings, Tagged, above
from audits.bias.occupations.text import findings
from audits.contracts import OUTCOME, ModelFacts
from audits.findings import ALPHA
from audits.protocol import Protocol as Rules
from audits.simpson import GroupGap
from workbench.statistics import clusters, differences
from workbench.statistics.measures import Measure, number

REVERSED = "Labels whose direction reverses when a second attribute is held fixed (Simpson's paradox)"


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return the share of each label by side with a test, and the accuracy of the occupation by group."""
    settings = rules.settings_as(Settings)
    study = Study(samples, settings.compared(samples) if settings.slice_by else (), np.random.default_rng(seed))
    parts = {name: samples[samples["label_set"] == name] for name in rules.label_sets}
    tagged = [
        Tagged(
            label_set=name,
            threshold=threshold,
            labels=rules.label_sets[name].labels,
            tags=tuple(frozenset(row) for row in parts[name][above(threshold)]),
            side=tuple(parts[name][settings.attribute]),
            clusters=tuple(parts[name]["cluster"]),
            attribute=settings.attribute,
            sides=settings.sides,
        )
        for name, threshold in itertools.product(rules.label_sets, settings.thresholds)
    ]
    for one in tagged:
        study.measures += _by_label(one, study.rng)
    for name, rows in parts.items():
        if rows[OUTCOME + ACCURACY].notna().any() and settings.slice_by:
            study.shares(ACCURACY, name, "higher")
    result = study.analysis(
        lambda metric: "the share of images whose likeliest label is the true occupation", [ACCURACY]
    )
    charts = [chart for one in tagged if (chart := _chart(result.measures, one, most=settings.most)) is not None]
    sentences = [sentence for one in tagged for sentence in findings(result.measures, one)]
    result = replace(result, findings=[*sentences, *result.findings], figures=[*charts, *result.figures])
    gaps = []  # of the labels that differ between the sides beyond chance
    for one in tagged:
        for m in one.differences(result.measures):
            if m.p_adj is not None and m.p_adj < ALPHA:
                label = m.slice["label"]
                rows = parts[one.label_set].assign(value=[float(label in tags) for tags in one.tags])
                name = f"The label “{label}” above {100 * one.threshold:g} %"
                gaps.append(GroupGap(m, name, one.attribute, rows))
    return simpson.added(result, gaps, sorted(detectable.attributes_of(samples)), title=REVERSED)


def _by_label(tagged: Tagged, rng: np.random.Generator) -> Iterator[Measure]:
    """Measure every label that occurs: its share on each side, and the difference with its test.

    Source:
        Radford et al. 2021, arXiv:2103.00020, figure 18: chi-square of label against gender at a threshold of 0.5 %.
        The score test is that chi-square times (N - 1) / N; where images are clustered, effective counts.
    """
    first, second = tagged.sides
    rows = {side: [at for at, one in enumerate(tagged.side) if one == side] for side in tagged.sides}
    names = {side: [tagged.clusters[at] for at in places] for side, places in rows.items()}
    for label in sorted({label for tags in tagged.tags for label in tags} & set(tagged.labels)):
        hits = {side: np.array([label in tagged.tags[at] for at in places], float) for side, places in rows.items()}
        for side, values in hits.items():
            slice = {tagged.attribute: side, "label": label}
            yield measuring.share(tagged.metric, values, names[side], label_set=tagged.label_set, slice=slice)
        counts = {side: clusters.effective(values, measuring.repeated(names[side])) for side, values in hits.items()}
        varies = 0 < sum(k for k, _ in counts.values()) < sum(n for _, n in counts.values())
        p_value = differences.difference_test(counts[first], counts[second]) if varies else None
        value = float(hits[first].mean() - hits[second].mean())
        yield number(
            tagged.metric,
            measuring.widened(differences.difference(counts[first], counts[second]), value),
            n=len(tagged.side),
            label_set=tagged.label_set,
            slice={"label": label},
            unit="difference",
            contrast="to_reference",
            reference=f"{first} minus {second}",
            p_value=p_value,
            family=f"{tagged.metric}|{tagged.label_set}",
        )


def _chart(measures: Sequence[Measure], tagged: Tagged, *, most: int) -> Figure | None:
    """Draw the labels with the smallest p of each side, the most frequent first; None where no label occurs."""
    rows: list[tuple[str, float | None, float | None, float | None, str]] = []
    for side, sign in zip(tagged.sides, (1, -1), strict=True):
        more = [m for m in tagged.differences(measures) if sign * (m.value or 0) > 0]
        more = sorted(more, key=lambda m: (m.p_value if m.p_value is not None else 1.0, m.slice["label"]))[:most]
        names = {m.slice["label"] for m in more}
        shares = [
            m
            for m in measures
            if (m.metric, m.label_set, m.contrast) == (tagged.metric, tagged.label_set, "none")
            and m.slice["label"] in names
        ]
        own = {m.slice["label"]: m.value or 0.0 for m in shares if m.slice[tagged.attribute] == side}
        shares.sort(
            key=lambda m: (-own[m.slice["label"]], m.slice["label"], tagged.sides.index(m.slice[tagged.attribute]))
        )
        rows += [(m.slice["label"], m.value, m.ci_low, m.ci_high, m.slice[tagged.attribute]) for m in shares]
    if not rows:
        return None
    above_threshold = f"above {100 * tagged.threshold:g} %"
    return Figure(
        f"labels-above-{tagged.threshold:g}-{tagged.label_set.replace(' ', '-')}".replace(".", "-"),
        f"Labels {above_threshold} that differ most by {tagged.attribute}: {tagged.label_set}",
        "bars",
        pd.DataFrame(rows, columns=["name", "value", "low", "high", "series"]),
        x="share of images with the label",
        y="label",
        alt=f"Bars: share of images of each {tagged.attribute} with the label {above_threshold}.",
    )
