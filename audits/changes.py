"""Ways to use a model, such as remedies: a table of what each changes, and a chart of its gain against its cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pandas import DataFrame

from audits.analysis import Figure
from audits.findings import brief
from workbench.statistics.measures import Measure

CHANGE = ".change"  # ends the name of the change of a metric against the model as it is
Outcomes = Mapping[str, Mapping[str, Measure]]  # way -> metric -> measure; the first is the model as it is


def outcomes_of(measures: Sequence[Measure]) -> Outcomes:
    """Return the measures by way, their label set, in the order in which they come."""
    ways = dict.fromkeys(m.label_set for m in measures)
    return {way: {m.metric: m for m in measures if m.label_set == way} for way in ways}


def changes_table(outcomes: Outcomes, names: Mapping[str, str], *, way: str) -> DataFrame:
    """Return a row for each way and a column for each metric: its value and its change; a dash where none is known.

    Args:
        outcomes: what was measured.
        names: metric -> heading of its column.
        way: heading of the first column.
    """
    rows = []
    for name, one in outcomes.items():
        cells = [[(one.get(metric), ""), (one.get(metric + CHANGE), "+")] for metric in names]
        rows.append([name, *("; ".join(brief(m, sign=sign) for m, sign in cell if m) or "–" for cell in cells)])
    return DataFrame(rows, columns=[way, *names.values()])


def gain_and_cost(outcomes: Outcomes, bias: str, quality: str, *, names: Mapping[str, str]) -> Figure:
    """Return a point for each way: how much of a bias it removes over how much of a quality it loses, in points."""
    bare, rows = next(iter(outcomes.values()))[bias], []
    turn = -1 if (bare.value or 0.0) > 0 else 1  # less is a gain, or more where it is below 0
    for name, one in outcomes.items():
        if gain := one.get(bias + CHANGE):
            cost = one[quality + CHANGE].value if quality + CHANGE in one else 0.0
            ends = (gain.value, *(gain.ci_low, gain.ci_high)[::turn])
            rows.append((name, -100 * (cost or 0.0), *(None if end is None else turn * end for end in ends)))
    return Figure(
        f"gain-{bias.replace('.', '-').replace('_', '-')}",
        f"Gain against cost: {names[bias]}",
        "points",
        DataFrame(rows, columns=["series", "x", "value", "low", "high"]),
        f"cost: {names[quality]} lost, points",
        f"gain: bias removed, {bare.unit.replace('difference', 'share')}",
        f"A point for each way: how much of the {names[bias]} it removes, with its interval, over its cost in "
        f"{names[quality]}. The best lie at the top left.",
    )
