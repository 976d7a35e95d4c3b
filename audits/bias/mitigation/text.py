"""What the report says about remedies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from audits.analysis import Finding, Strength
from audits.changes import CHANGE, Outcomes
from audits.findings import amount, brief, finding, strength
from workbench.remedies import REMEDIES
from workbench.statistics.measures import Measure

SKEW = "max_skew"
CLAIMS = {  # bias -> its name, and what is said of it without a remedy
    SKEW: ("MaxSkew of searches", "searches that name no group show X or Y more often than its share, MaxSkew {}"),
    "association": ("association with words", "X lies nearer to the first words than Y, d = {}"),
    "gap.right": ("gap in right answers", "X gets right answers more often than Y by {}"),
    "gap.harmful": ("gap in harmful labels", "X gets harmful labels more often than Y by {}"),
}
NAMES = {metric: name for metric, (name, _) in CLAIMS.items()}
QUALITIES = {"right": "right answers", "retrieved": "images found by their label"}

HOW_TO_READ = """
Other audits find bias. This one asks **what would help** without training the model again. The images are dealt to two
halves; each half is measured under remedies that were fitted to the other.

- **MaxSkew of searches**: how far the first results of searches that name no group exceed a group's share, as a natural
  logarithm, averaged over searches. 0 is even, 0.69 is twice the share. Chance alone lifts it a little, but not its
  lower bound.
- **Association with words**: how much nearer one group lies to one set of words, in standard deviations (d).
- **Gap in right answers**, **gap in harmful labels**: the share of one group minus that of the other. 0 is even.
- **Right answers** and **images found by their label** are what a remedy must not spoil.

A cell holds the number with its 95 % interval and, behind the semicolon, what the remedy changed, image by image. Where
the sign changes, the remedy has turned the bias round. A dash: the remedy cannot change this.

- *The label “child”* is one more answer.
- *Constrained search* reorders results so that each group keeps its share at every length of the list.
""" + "\n".join(f"- *{one.title}* {one.summary}." for one in REMEDIES.values())

LIMITS = """
- **What no remedy here mends**: the weights keep what they learned. Only what is linear is removed; other classifiers
  may still find the group. Other groups and mixtures of groups are not treated: run the other protocols.
- Equal shares are not yet fairness: a search or a name can be wrong for everybody alike.
- Constrained search must know the group of every image, which is itself a use of personal data.
- A remedy can do less, or harm, on other images: run it on your own. Intervals resample images, not words.
- Drawn people show drawn conventions of gender and skin tone. They are no photographs of people.
"""


def biased(bare: Mapping[str, Measure]) -> list[str]:
    """Return the biases that the model has without a remedy."""
    return [metric for metric in NAMES if metric in bare and strength(bare[metric]) == "found"]


def findings(outcomes: Outcomes, words: tuple[str, str]) -> Iterator[Finding]:
    """Yield each bias without a remedy, and for each remedy what it mends, what not, and what it costs."""
    (_, bare), *remedies = outcomes.items()
    for metric in (name for name in NAMES if name in bare):
        claim, opposite = (
            CLAIMS[metric][1].replace("X", one).replace("Y", other) for one, other in (words, words[::-1])
        )
        yield finding(bare[metric], claim, opposite=opposite)
    for name, one in remedies:
        yield _sentence(name, one, bare)


def _sentence(remedy: str, one: Mapping[str, Measure], bare: Mapping[str, Measure]) -> Finding:
    parts: dict[str, list[str]] = {"It lessens": [], "It does not mend": [], "It worsens": [], "It changes": []}
    shows = {name for name, measure in one.items() if strength(measure) == "found"}
    for metric, measure in ((metric, bare[metric]) for metric in NAMES if metric in bare):
        before, after = measure.value or 0.0, one[metric].value or 0.0 if metric in one else 0.0
        text = NAMES[metric]
        if metric in one:
            text += f", {brief(measure, bounds=False)} to {brief(one[metric], bounds=False)}"
        if metric + CHANGE in shows and metric in shows and abs(after) > abs(before):
            parts["It worsens"].append(text)
        elif metric + CHANGE in shows and metric in biased(bare) and abs(after) < abs(before):
            rest = " (turned round)" if after * before < 0 else " (some is left)"
            parts["It lessens"].append(text + rest * (metric in shows))
        elif metric in biased(bare):
            parts["It does not mend"].append(text)
    costs = {name: one[name + CHANGE] for name in QUALITIES if name + CHANGE in one}
    parts["It changes"] = [f"{QUALITIES[x]} by {amount(cost)}" for x, cost in costs.items() if x + CHANGE in shows]
    text = " ".join(f"{start}: {'; '.join(items)}." for start, items in parts.items() if items)
    start, end = "" if parts["It lessens"] else " It lessens no bias that was found.", ""
    if not parts["It changes"] and not parts["It worsens"]:
        lost = max((-100 * (cost.ci_low or 0.0) for cost in costs.values()), default=0.0)
        end = f" No cost was found{f'; a loss of {lost:.1f} points is not ruled out' if lost > 0 else ''}."
    kind: Strength = "found" if parts["It lessens"] or parts["It worsens"] else "no evidence"
    return Finding(f"{remedy}.{start} {text}{end}".replace("  ", " "), kind, label_set=remedy)
