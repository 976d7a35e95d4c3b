"""What the report says about the wording of prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.analysis import Finding
from audits.shares import percent
from workbench.statistics.measures import Measure

if TYPE_CHECKING:
    pass

ALPHA = 0.05
_FEWEST = 30  # pictures below which nothing is concluded
HOW_TO_READ = """
The same pictures and labels, asked with every template. **Accuracy** stands for each. The **spread** is the best
template's accuracy minus the worst's. It is never below 0, and grows with the number of templates: so beside it
stands the spread that chance alone would give, if each picture's right and wrong answers were dealt to the
templates at random.

**Ensemble gain** compares the average of all templates with the reference template, picture by picture, and
**template gain** the reference with the label alone. **Agreement** is the share of pictures that all templates name
alike.
"""
LIMITS = """
- The best template here was found on these pictures; on others it may be another. Do not choose by this table
  alone.
- With few pictures the spread of chance is wide, and real differences between templates hide in it.
- The templates were written for photos. Drawings favour "a drawing of a …" for a reason that has nothing to do with
  skill.
- Labels are asked as they are; better names for classes often gain more than templates do.
"""


def findings(measures: list[Measure]) -> list[Finding]:
    """Return the sentences that the measures support."""
    texts: dict[str, tuple[str, str]] = {
        "spread": (
            "Templates differ by up to {value}; chance alone gives up to {null} (95th percentile).",
            "No evidence that templates differ: best minus worst is {value}, and chance gives up to {null}.",
        ),
        "ensemble_gain": (
            "Averaging all templates changes accuracy by {value} against “{reference}”.",
            "No evidence that averaging all templates changes accuracy against “{reference}”.",
        ),
        "template_gain": (
            "The reference template changes accuracy by {value} against the label alone.",
            "No evidence that the reference template changes accuracy against the label alone.",
        ),
    }
    result = []
    for m in measures:
        if m.metric not in texts:
            continue
        if m.value is None or m.p_adj is None or (m.n or 0) < _FEWEST:
            result.append(Finding(f"{m.metric} is not measured, with {m.n} pictures.", "not measured", m.metric, n=m.n))
            continue
        found = m.p_adj < ALPHA
        shown = f"{100 * m.value:+.1f} points" if m.metric != "spread" else percent(m.value)
        text = texts[m.metric][0 if found else 1].format(value=shown, null=percent(m.null_q95), reference=m.reference)
        effect: Any = abs(m.value)
        result.append(Finding(text, "found" if found else "no evidence", m.metric, None, effect, m.p_adj, m.n))
    return result
