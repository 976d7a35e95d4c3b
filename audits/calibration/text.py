"""What the report says about calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.analysis import Finding
from workbench.statistics.measures import Measure

if TYPE_CHECKING:
    pass

ALPHA = 0.05
_FEWEST = 30  # pictures below which nothing is concluded
HOW_TO_READ = """
**ECE**, the expected calibration error, is the average distance between how sure the model was and how often it was
right: 0.10 means ten points off. Pictures are put into bins by confidence, once of equal width, once with equally
many pictures. With few pictures even a perfectly calibrated model has an ECE above 0, so chance's own mean and 95th
percentile stand beside it: only an ECE beyond them is evidence.

**Overconfidence** is mean confidence minus accuracy; below 0 the model is too modest. **Brier** (0 best, 2 worst)
and **NLL** (in nats) judge all probabilities at once, right ones and wrong ones.

The **temperature** divides all logits. It was found on one half of the pictures and judged on the other, so it is a
what-if: it says how much of the error one number would mend, not how the model behaves as it is. Above 1: too sure.

Each **label set** is a question of its own: of two labels, the right one is easily likely.
"""
LIMITS = """
- Confidence here is a softmax over the labels asked (for sigmoid models: of each label alone). Other labels, other
  confidence: there is no calibration of a model as such.
- Smaller label sets were drawn by lot, so their labels are mostly far apart; sets that people choose are harder.
- ECE depends on its bins and hides errors that cancel within one. Where equal width and equal mass disagree, trust
  neither alone.
- Pictures of one thing hang together: intervals draw whole clusters, but that of ECE draws single pictures and is a
  little too narrow. None says anything of pictures of another kind.
- A good calibration on average is none for any group of pictures.
"""


def findings(measures: list[Measure]) -> list[Finding]:
    """Return the sentences that the measures support."""
    result = []
    for m in measures:
        if m.metric != "overconfidence" or m.value is None or m.p_adj is None:
            continue
        points = f"{100 * abs(m.value):.1f} points"
        if (m.n or 0) < _FEWEST:
            text, strength = f"Calibration for {m.label_set} is not measured: {m.n} pictures.", "not measured"
        elif m.p_adj < ALPHA:
            way = "surer than it is right" if m.value > 0 else "less sure than it is right"
            text, strength = f"For {m.label_set} the model is {way}, by {points} on average.", "found"
        else:
            text, strength = f"No evidence of over- or underconfidence on average for {m.label_set}.", "no evidence"
        result.append(Finding(text, strength, m.metric, effect=abs(m.value), p_adj=m.p_adj, n=m.n))  # type: ignore[arg-type]
    return result
