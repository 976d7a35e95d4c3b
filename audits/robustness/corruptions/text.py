"""What the report says about corruptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.analysis import Finding
from audits.shares import percent
from workbench.statistics.measures import Measure

if TYPE_CHECKING:
    pass

ALPHA = 0.05
HOW_TO_READ = """
Every picture was cut to a square and asked undisturbed, then disturbed in fifteen ways at several severities (1
mild, 5 harsh). **Accuracy** stands for each way and severity. **Change** compares each picture with itself, so it
needs far fewer pictures than two accuracies side by side: below 0 the disturbance costs answers. The p-values of
one family were adjusted for their number (Holm).

**Relative drop** is the share of the undisturbed accuracy that is lost: 0 nothing, 1 all of it. It is not defined
where nothing was right to begin with.

**mCE**, the mean corruption error, divides this model's errors by those of a baseline that the protocol states with
name and version. Without one it is not measured.
"""
LIMITS = """
- Drawn corruptions are not weather and no camera. They show sensitivity, not what happens outdoors.
- The frost is drawn, not photographed as in ImageNet-C, and pictures are disturbed in memory, not stored as JPEG:
  values differ from published ImageNet-C tables.
- Corruptions are drawn at the size that the protocol states; a model that sees larger pictures gets them enlarged.
- Each picture has one lot a corruption and severity. Few pictures find large costs only: "no evidence" here is no
  evidence of robustness.
- Drawings on plain grounds survive blur and noise better than photos of many things.
"""


def findings(measures: list[Measure]) -> list[Finding]:
    """Return the sentences that the measures support."""
    result = []
    for m in measures:
        if m.metric != "accuracy_change" or m.slice_by not in ("", "corruption"):
            continue
        what = m.slice.get("corruption", "all corruptions together")
        if m.value is None or m.p_adj is None:
            result.append(Finding(f"What {what} costs is not measured.", "not measured", m.metric, m.slice))
        elif m.p_adj < ALPHA:
            way = "costs" if m.value < 0 else "adds"
            text = f"{what} {way} {percent(abs(m.value))} of all answers ({m.n} pictures, each against itself)."
            result.append(Finding(text, "found", m.metric, m.slice, abs(m.value), m.p_adj, m.n))
        else:
            text = f"No evidence that {what} changes accuracy, with {m.n} pictures."
            result.append(Finding(text, "no evidence", m.metric, m.slice, abs(m.value), m.p_adj, m.n))
    return result
