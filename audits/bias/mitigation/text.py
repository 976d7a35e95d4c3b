"""What the report says about remedies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd
from pandas import DataFrame

from audits.analysis import Finding, Strength
from audits.findings import amount, finding, strength
from workbench.statistics.measures import Measure

Outcomes = Mapping[str, Mapping[str, Measure]]  # remedy -> metric -> measure; the first is no remedy
CHANGE = ".change"
NAMES = {  # of the biases
    "skew": "skew in searches",
    "association": "association with words",
    "gap.right": "gap in right answers",
    "gap.harmful": "gap in harmful labels",
}
CLAIMS = {  # without a remedy
    "skew": "searches that name no group favour one of X and Y by {}",
    "association": "X lies nearer to the first words than Y, d = {}",
    "gap.right": "X gets right answers more often than Y by {}",
    "gap.harmful": "X gets harmful labels more often than Y by {}",
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
image. Where the sign changes, the remedy has turned the bias round. A dash: the remedy cannot change this.

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


def biased(outcomes: Outcomes) -> list[str]:
    """Return the biases that the model has without a remedy."""
    bare = next(iter(outcomes.values()))
    return [metric for metric in NAMES if metric in bare and strength(bare[metric]) == "found"]


def findings(outcomes: Outcomes, words: tuple[str, str]) -> Iterator[Finding]:
    """Yield each bias without a remedy, and for each remedy what it mends, what not, and what it costs."""
    (_, bare), *remedies = outcomes.items()
    for metric in (name for name in NAMES if name in bare):
        claim, opposite = (CLAIMS[metric].replace("X", one).replace("Y", other) for one, other in (words, words[::-1]))
        yield finding(bare[metric], claim, opposite=opposite)
    for name, one in remedies:
        yield _sentence(name, one, bare, biased(outcomes))


def _sentence(remedy: str, one: Mapping[str, Measure], bare: Mapping[str, Measure], present: list[str]) -> Finding:
    parts: dict[str, list[str]] = {"It lessens": [], "It does not mend": [], "It worsens": [], "It changes": []}
    for metric in (name for name in NAMES if name in bare):
        changed = metric + CHANGE in one and strength(one[metric + CHANGE]) == "found"
        before, after = bare[metric].value or 0.0, one[metric].value or 0.0 if metric in one else 0.0
        text = f"{NAMES[metric]}, {_short(bare[metric])} to {_short(one[metric])}" if metric in one else NAMES[metric]
        still = metric in one and strength(one[metric]) == "found"
        if changed and still and abs(after) > abs(before):
            parts["It worsens"].append(text)
        elif changed and metric in present and abs(after) < abs(before):
            rest = " (turned round)" if after * before < 0 else " (some is left)"
            parts["It lessens"].append(text + rest * still)
        elif metric in present:
            parts["It does not mend"].append(text)
    for metric in QUALITIES:
        if metric + CHANGE in one and strength(one[metric + CHANGE]) == "found":
            parts["It changes"].append(f"{QUALITIES[metric]} by {amount(one[metric + CHANGE])}")
    text = " ".join(f"{start}: {'; '.join(items)}." for start, items in parts.items() if items)
    start = "" if parts["It lessens"] else " It lessens no bias that was found."
    end = "" if parts["It changes"] or parts["It worsens"] else " No cost was found"
    lost = [100 * max(0.0, -(row.ci_low or 0.0)) for name in QUALITIES if (row := one.get(name + CHANGE)) is not None]
    end += f"; a loss of {max(lost):.1f} points is not ruled out." if end and lost else "." if end else ""
    kind: Strength = "found" if parts["It lessens"] or parts["It worsens"] else "no evidence"
    return Finding(f"{remedy}.{start} {text}{end}".replace("  ", " "), kind, label_set=remedy)


def whole(outcomes: Outcomes) -> DataFrame:
    """Return the table of remedies: a row each, a column a bias or quality; a dash where a remedy cannot change it."""
    titles = {**NAMES, **QUALITIES}
    rows = [[name, *(_cell(one, metric) for metric in titles)] for name, one in outcomes.items()]
    return pd.DataFrame(rows, columns=["remedy", *titles.values()])


def _cell(one: Mapping[str, Measure], metric: str) -> str:
    parts = [(one.get(metric), ""), (one.get(metric + CHANGE), "+")]
    return "; ".join(_short(row, bounds=True, sign=sign) for row, sign in parts if row is not None) or "–"


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
