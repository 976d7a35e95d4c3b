"""What the report says about counting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audits.analysis import Finding
from audits.findings import finding
from workbench.statistics.measures import Measure

_FEWEST = 30  # images below which nothing is concluded

HOW_TO_READ = """
The model chooses one of the counts for every image. **Accuracy** is the share that is exactly right, **within one** the
share that misses by at most one, and the **mean absolute error** how far off it is on average.

Each is shown beside **chance**: the same answers in random order. This keeps a preference for one number, so a model
that always answers "three" is not above chance. Only what exceeds chance is counting, or something like it.

**Slope** is how much the answer rises per additional thing: 1 for perfect counting, 0 for answers that ignore the
image.

The same sets are drawn twice: with things of **each the same** size, where more things cover more, and with **all
together the same** area. A model that judges how full an image is does worse in the second; `area_change` compares both
image by image.
"""

LIMITS = """
- Few clean shapes on white: the easiest counting there is. Success here does not extend to crowds, overlap or photos.
- With equal total area single things get smaller, and small things are harder to see; a loss there may be either.
- Number words in captions mean many things ("two-storey"). A failure may lie in the text tower as well.
- "One" has no plural s in the prompt, so it differs from the other counts in more than its number.
- With about twenty images per cell, only large differences between cells can be found.
"""


def findings(measures: Sequence[Measure]) -> Iterator[Finding]:
    """Yield the sentences on accuracy beside chance, and on the effect of the total area."""
    for m in measures:
        if m.metric == "accuracy" and not m.slice:
            chance = m.null_mean or 0.0
            random = f"that of the same answers in random order, {100 * chance:.1f} %"
            claim = f"the share of correct counts, {{}}, is above {random}"
            yield finding(m, claim, opposite=claim.replace("above", "below"), few=_FEWEST, zero=chance)
        if m.metric == "area_change" and m.value is not None:
            claim = "accuracy rises by {} when the total area stays the same"
            opposite = claim.replace("rises", "falls")
            yield finding(m, claim, opposite=opposite, neutral="accuracy changes when the total area stays the same")
