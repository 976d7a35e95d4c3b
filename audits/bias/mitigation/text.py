"""What the report says about remedies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from pandas import DataFrame

from audits.analysis import Finding
from audits.findings import amount, finding, strength
from workbench.statistics.measures import Measure

CHANGE = ".change"
NAMES = {  # of the biases
    "skew": "skew in searches",
    "association": "association with words",
    "gap.right": "gap in right answers",
    "gap.harmful": "gap in harmful labels",
}
QUALITIES = {"right": "right answers", "retrieved": "images found by their label"}

HOW_TO_READ = """
Other audits find bias. This one asks **what would help** without training the model again. The images are dealt to two
halves; each half is measured under remedies that were fitted to the other.

- **Skew in searches**: the share of one group among the first results of searches that name no group, minus the share
  of the other. **Gap in right answers**, **gap in harmful labels**: the same for answers. 0 is even.
- **Association with words**: how much nearer one group lies to one set of words, in standard deviations (d, as in the
  audit of association).
- **Right answers** and **images found by their label** are what a remedy must not spoil.

A cell of the table holds the number with its 95 % interval and, behind the semicolon, what the remedy changed, image by
image. Below zero, the remedy has turned the bias round. A dash: the remedy cannot change this.

*Direction removed* takes one direction out of the model, found between texts or between images. *LEACE* changes images
as little as possible so that no linear probe finds the group. *Calibrated prompts* move texts such as "a male cook" and
"a female cook" to one place. *Balanced prompts* ask for both and take the average. *The label “child”* is one more
answer. *Constrained search* reorders results so that each group keeps its share at every length of the list.
"""

LIMITS = """
- **What no remedy here mends**: the weights keep what they learned. Only what is linear is removed; other classifiers
  may still find the group. Other groups and mixtures of groups are not treated: run the other protocols.
- Equal shares are not yet fairness: a search or a name can be wrong for everybody alike.
- Constrained search must know the group of every image, which is itself a use of personal data.
- A remedy can do less, or harm, on other images: run it on your own. Intervals resample images, not words.
- Drawn people show drawn conventions of gender and skin tone. They are no photographs of people.
"""


@dataclass(frozen=True, eq=False)
class Outcome:
    """The measures under one remedy, by metric."""

    name: str
    values: Mapping[str, Measure]
    changes: Mapping[str, Measure]  # against no remedy; empty for it


def findings(outcomes: Sequence[Outcome], sides: str) -> Iterator[Finding]:
    """Yield each bias without a remedy, and for each remedy what it mends, what not, and what it costs."""
    bare, *remedies = outcomes
    for metric, row in bare.values.items():
        if metric in NAMES:
            yield finding(row, f"without a remedy, the {NAMES[metric]} between {sides} ({row.reference}) is {{}}")
    biased = [metric for metric in NAMES if metric in bare.values and strength(bare.values[metric]) == "found"]
    for one in remedies:
        yield _sentence(one, bare, biased)


def _sentence(one: Outcome, bare: Outcome, biased: Sequence[str]) -> Finding:
    """Say what a remedy lessens, what it leaves, and what it costs."""
    less, same, spoiled = [], [], []
    for metric in (name for name in biased if name in one.changes):
        before, after = bare.values[metric], one.values[metric]
        text = f"{NAMES[metric]}, {_short(before)} to {_short(after)}"
        if strength(one.changes[metric]) == "found" and abs(after.value or 0.0) < abs(before.value or 0.0):
            rest = "turned round" if (after.value or 0.0) < 0 else "some is left"
            less.append(f"{text} ({rest})" if strength(after) == "found" else text)
        else:
            same.append(text)
    same += [NAMES[metric] for metric in biased if metric not in one.changes]
    for metric in (name for name in QUALITIES if name in one.changes):
        if strength(one.changes[metric]) == "found":
            spoiled.append(f"{QUALITIES[metric]} by {amount(one.changes[metric])}")
    parts = [f"It lessens: {'; '.join(less)}." if less else "It lessens no bias that was found."]
    parts += [f"It does not mend: {'; '.join(same)}."] if same else []
    parts += [f"It changes {' and '.join(spoiled)}." if spoiled else "No cost was found."]
    return Finding(f"{one.name}. {' '.join(parts)}", "found" if less else "no evidence", label_set=one.name)


def whole(outcomes: Sequence[Outcome]) -> DataFrame:
    """Return the table of remedies: a row each, a column a bias or quality."""
    titles = {**NAMES, **QUALITIES}
    rows = [{"remedy": one.name, **{title: _cell(one, metric) for metric, title in titles.items()}} for one in outcomes]
    return pd.DataFrame(rows, columns=["remedy", *titles.values()])


def _cell(one: Outcome, metric: str) -> str:
    if metric not in one.values:
        return "–"  # cannot be changed
    change = one.changes.get(metric)
    return _short(one.values[metric], bounds=True) + (f"; {_short(change, bounds=True, sign='+')}" if change else "")


def _short(measure: Measure, *, bounds: bool = False, sign: str = "") -> str:
    """Write a number: shares and their differences in hundredths, d as it is."""
    scale, digits = (1.0, 2) if measure.unit == "d" else (100.0, 1)
    if measure.value is None:
        return "not measured"
    low, high = measure.ci_low, measure.ci_high
    value = f"{scale * measure.value:{sign}.{digits}f}"
    if not bounds or low is None or high is None:
        return value if measure.unit == "d" else f"{value} %" if measure.unit == "share" else f"{value} points"
    return f"{value} [{scale * low:.{digits}f}, {scale * high:.{digits}f}]"
