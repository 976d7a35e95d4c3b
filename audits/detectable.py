"""The smallest difference from the other groups that a slice could have shown in 80 of 100 runs.

A gap below it is not ruled out: there were too few images to find it.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from dataclasses import replace

from pandas import DataFrame

from workbench.statistics.measures import Measure
from workbench.statistics.power import detectable_beyond_chance, minimum_detectable_difference

Key = tuple[str, ...]
_ANSWERS = ("sample_id", "variant", "label_set", "cluster", "split", "part", "y_pred")  # no attribute of the image


def attributes_of(samples: DataFrame) -> set[str]:
    """Return the columns that describe the image itself: one value in all rows of an image.

    Sizes, severities and other conditions under which one image is measured several times are none.
    """
    texts = [name for name in samples.columns if samples[name].map(lambda cell: isinstance(cell, str)).all()]
    by_image = samples.groupby("sample_id", sort=False)
    return {name for name in texts if name not in _ANSWERS and by_image[name].nunique().max() == 1}


def beside(measures: Sequence[Measure], attributes: Collection[str]) -> list[Measure]:
    """Return the measures; each share of a slice has the smallest difference from the other groups that it could show.

    The other groups are those that differ in an attribute of the image and agree in everything else. Slices that are
    conditions alone, such as a severity, are compared with the other conditions, which show the same images.

    `attributes` are the names in slices that are attributes of the image.
    """
    families: dict[Key, list[Measure]] = {}
    for measure in measures:
        counted = None not in (measure.k_pos, measure.n, measure.n_effective)
        if counted and measure.contrast == "none" and measure.unit == "share" and measure.slice:
            families.setdefault(family(measure, attributes), []).append(measure)
    smallest: dict[int, float | None] = {}
    for rows in (one for one in families.values() if len(one) > 1):
        hits, cases, sizes = ([getattr(one, name) for one in rows] for name in ("k_pos", "n", "n_effective"))
        same = not any(name in attributes for name in rows[0].slice)  # conditions: the same images again
        for at, one in enumerate(rows):
            n = sum(cases) - cases[at]
            others = max(sizes[:at] + sizes[at + 1 :]) if same else sum(sizes) - sizes[at]
            smallest[id(one)] = (
                _smallest_difference(sizes[at], round((sum(hits) - hits[at]) / n, 3), others) if n else None
            )
    return [replace(one, detectable=smallest[id(one)]) if id(one) in smallest else one for one in measures]


def beyond_chance(row: Measure) -> Measure:
    """Return a row that is held against what chance gives, with the smallest value that 80 of 100 runs would find."""
    if row.null_q95 is None or row.ci_low is None or row.ci_high is None:
        return row
    return replace(row, detectable=detectable_beyond_chance(row.null_q95, row.ci_low, row.ci_high))


def family(measure: Measure, attributes: Collection[str]) -> Key:
    """Return what a measure shares with those that it is compared with: everything but the values of its attributes."""
    held = set(measure.control.split(","))
    groups = [name for name in measure.slice if name in attributes]
    own = [name for name in groups if name not in held] or groups or list(measure.slice)
    fixed = [f"{name}={value}" for name, value in sorted(measure.slice.items()) if name not in own]
    return (measure.metric, measure.label_set, measure.template_set, measure.control, ",".join(sorted(own)), *fixed)


@functools.cache
def _smallest_difference(n: int, base: float, others: int) -> float | None:
    return minimum_detectable_difference(n, base, others=others).smallest
