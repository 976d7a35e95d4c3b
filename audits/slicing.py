"""A metric by group: one row a slice, and the gap between groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import numpy as np
from pandas import DataFrame

from audits import measuring
from audits.contracts import OUTCOME
from audits.grouping import By, gap_rows, keyed, sides
from audits.seeds import generator
from workbench.statistics.measures import Extra, Measure
from workbench.strict import Strict

MOST = 12  # values of an attribute that divides images into groups without being asked for
_NO_ATTRIBUTES = (
    "sample_id", "variant", "label_set", "cluster", "split", "part", "y_true", "y_pred", "rank_true", "topk", "scores",
)  # fmt: skip


class Sliced(Strict):
    """Settings of an audit that compares groups."""

    slice_by: tuple[str, ...] | None = None  # attributes; unset: all that divide the images into 2 to 12 groups
    crossed: tuple[tuple[str, ...], ...] = ()  # intersections, such as (race, gender)

    @property
    def needed(self) -> tuple[str, ...]:
        """The attributes that a data set must have, each once."""
        return tuple(dict.fromkeys((*(self.slice_by or ()), *(name for names in self.crossed for name in names))))

    def compared(self, samples: DataFrame, *, but: Sequence[str] = ()) -> tuple[By, ...]:
        """Return the attributes and intersections whose groups are compared.

        `but` names columns of the audit that are no attributes of an image.
        """
        names = groups(samples, but=but) if self.slice_by is None else self.slice_by
        return (*((name,) for name in names), *self.crossed)


def groups(samples: DataFrame, *, but: Sequence[str] = ()) -> list[str]:
    """Return the columns that divide the images into 2 to 12 groups, sorted."""
    names = [name for name in map(str, samples) if not name.startswith(OUTCOME) and name not in (*_NO_ATTRIBUTES, *but)]
    texts = [name for name in names if samples[name].map(lambda cell: isinstance(cell, str)).all()]
    return sorted(name for name in texts if 2 <= samples.loc[samples[name] != "", name].nunique() <= MOST)


def follows(rows: DataFrame, name: str) -> bool:
    """Say whether an attribute follows from what the model was to predict: it has one value for each truth."""
    if "y_true" not in rows or rows["y_true"].nunique() < 2:
        return False
    return bool(rows.groupby("y_true")[name].nunique().max() <= 1)


def divides_truth(rows: DataFrame, names: Sequence[str]) -> bool:
    """Say whether what the model was to predict follows from attributes: each of their groups has one truth."""
    if "y_true" not in rows or rows["y_true"].nunique() < 2:
        return False
    return bool(rows.groupby(list(names))["y_true"].nunique().max() <= 1)


def selected(samples: DataFrame, where: Mapping[str, str], metric: str) -> DataFrame:
    """Return the rows of a slice in which an outcome is defined."""
    keep = samples[f"{OUTCOME}{metric}"].notna()
    for name, value in where.items():
        keep &= samples[name] == value
    return samples[keep]


def rate(samples: DataFrame, metric: str, where: Mapping[str, str], *, seed: int, **extra: Unpack[Extra]) -> Measure:
    """Return the share or mean of an outcome over a slice, with its interval.

    Args:
        samples: the rows.
        metric: name of the outcome.
        where: column -> value; `label_set` among them becomes the measure's own field.
        seed: of resampling, where outcomes are not 0 or 1.
        **extra: further fields of the measure.
    """
    rows = selected(samples, where, metric)
    values, cluster = rows[f"{OUTCOME}{metric}"].to_numpy(dtype=np.float64), list(rows["cluster"])
    fields: dict[str, Any] = {"slice": {name: value for name, value in where.items() if name != "label_set"}, **extra}
    if "label_set" in where:
        fields["label_set"] = where["label_set"]
    if np.isin(values, (0.0, 1.0)).all():
        return measuring.share(metric, values, cluster, **fields)
    return measuring.mean(metric, values, cluster, rng=generator(seed, metric, *map(str, where.values())), **fields)


def gaps(
    samples: DataFrame, metric: str, where: Mapping[str, str], *, by: By, seed: int, **extra: Unpack[Extra]
) -> list[Measure]:
    """Return `gap_rows` of a yes/no outcome within a slice; arguments as for `rate`."""
    rows = keyed(selected(samples, where, metric), by)
    fields: dict[str, Any] = {"slice": {name: value for name, value in where.items() if name != "label_set"}, **extra}
    return gap_rows(
        measuring.gap,
        metric,
        rows[f"{OUTCOME}{metric}"],
        rng=generator(seed, "gap", metric, *by, *map(str, where.values())),
        **sides(rows, by),
        label_set=where.get("label_set", ""),
        **fields,
    )
