"""What the report says about corruptions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audits.analysis import Finding
from audits.findings import finding, gap_finding
from workbench.statistics.measures import Measure
from workbench.statistics.row import GAPS

HOW_TO_READ = """
Every image is cropped to a square and named undisturbed, then under up to fifteen corruptions at several severities
(1 mild, 5 harsh). **Accuracy** is given for each corruption and severity. **Change** compares each image with itself,
so it needs far fewer images than two separate accuracies: below 0 the corruption costs accuracy. The p-values of one
family are adjusted for their number (Holm).

**Relative drop** is the share of the undisturbed accuracy that is lost: 0 nothing, 1 all of it. It is undefined where
nothing was correct undisturbed.

Groups are compared by their undisturbed accuracy and by their change over all corruptions; each gap is shown beside
what chance alone gives.

**mCE**, the mean corruption error, divides this model's errors by those of a baseline that the protocol states with
name and version. Without a baseline it is not measured.
"""

LIMITS = """
- Synthetic corruptions are not weather and not a camera. They show sensitivity, not what happens outdoors.
- The frost is drawn, not photographed as in ImageNet-C, and images are disturbed in memory, not stored as JPEG: values
  differ from published ImageNet-C tables.
- Corruptions are applied at the size that the protocol states; a model that takes larger images gets them enlarged.
- Each image has one random draw per corruption and severity. Few images show large costs only: "no evidence" is no
  evidence of robustness, and each finding states the smallest change that could have been shown.
- Drawings on plain grounds survive blur and noise better than photos of many things.
"""


def findings(measures: Sequence[Measure]) -> Iterator[Finding]:
    """Yield the sentences on the change under each corruption and all together, by group, and on gaps."""
    for m in measures:
        if m.contrast in GAPS:
            what = "undisturbed accuracy" if m.metric == "accuracy" else "the change of accuracy under corruptions"
            yield gap_finding(m, what)
        elif m.metric == "accuracy_change" and m.slice_by in ("", "corruption"):
            name = m.slice.get("corruption", "")
            lower, higher = ("lowers", "raises") if name else ("lower", "raise")
            what = name.replace("_", " ") or "the corruptions together"
            yield finding(
                m,
                f"{what} {higher} accuracy by {{}}",
                opposite=f"{what} {lower} accuracy by {{}}",
                neutral=f"{what} {'changes' if name else 'change'} accuracy",
            )
