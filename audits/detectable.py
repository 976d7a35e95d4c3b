"""What each slice could have shown: the smallest difference that would have been found four times out of five.

Knows measures only, of any audit. A gap below this was not ruled out; it was out of reach.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.statistics.power import minimum_detectable_difference

if TYPE_CHECKING:
    from pandas import DataFrame

    from workbench.statistics.measures import Measure

Key = tuple[str, ...]
_ANSWERS = ("sample_id", "variant", "label_set", "cluster", "split", "y_pred")  # no attribute of the picture


def attributes_of(samples: DataFrame) -> set[str]:
    """Return the columns that say something of the picture itself: one value in all rows of a picture.

    Sizes, severities and other conditions in which one picture is shown several times are none.
    """
    texts = [name for name in samples.columns if samples[name].map(lambda cell: isinstance(cell, str)).all()]
    kept = [name for name in texts if name not in _ANSWERS]
    by_picture = samples.groupby("sample_id", sort=False)
    return {name for name in kept if by_picture[name].nunique().max() == 1}


def beside(measures: Sequence[Measure], attributes: Collection[str]) -> list[Measure]:
    """Return the measures; each share of a slice has the smallest difference from the other groups that it could show.

    The other groups are those that differ in an attribute of the picture and agree in everything else. Slices that are
    conditions alone, such as a severity, are held against the other conditions, which show the same pictures.

    Args:
        measures: of one audit.
        attributes: names in slices that are attributes of the picture.
    """
    families: dict[Key, list[Measure]] = {}
    for measure in measures:
        if _counts(measure):
            families.setdefault(_family(measure, attributes), []).append(measure)
    found = {
        id(one): reach for family in families.values() if len(family) > 1 for one, reach in _reaches(family, attributes)
    }
    return [replace(one, detectable=found[id(one)]) if id(one) in found else one for one in measures]


def _counts(measure: Measure) -> bool:
    """Say whether a measure is the share of a slice, counted."""
    counted = measure.k_pos is not None and measure.n is not None and measure.n_effective is not None
    return counted and measure.contrast == "none" and measure.unit == "share" and bool(measure.slice)


def _family(measure: Measure, attributes: Collection[str]) -> Key:
    """Name what a measure shares with those that it is compared with: everything but the values of its attributes."""
    held = set(measure.control.split(","))
    groups = [name for name in measure.slice if name in attributes]
    own = [name for name in groups if name not in held] or groups or list(measure.slice)
    fixed = [f"{name}={value}" for name, value in sorted(measure.slice.items()) if name not in own]
    return (measure.metric, measure.label_set, measure.template_set, measure.control, ",".join(sorted(own)), *fixed)


def _reaches(family: Sequence[Measure], attributes: Collection[str]) -> Iterator[tuple[Measure, float | None]]:
    hits, cases, sizes = ([getattr(one, name) for one in family] for name in ("k_pos", "n", "n_effective"))
    same = not any(name in attributes for name in family[0].slice)  # conditions: the same pictures again
    for at, one in enumerate(family):
        n = sum(cases) - cases[at]
        others = max(sizes[:at] + sizes[at + 1 :]) if same else sum(sizes) - sizes[at]
        yield one, _reach(sizes[at], round((sum(hits) - hits[at]) / n, 3), others) if n else None


@functools.cache
def _reach(n: int, base: float, others: int) -> float | None:
    return minimum_detectable_difference(n, base, others=others).smallest
