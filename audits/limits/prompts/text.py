"""What the report says about the wording of prompts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audits.analysis import Finding
from audits.findings import ALPHA, detectable, finding, gap_finding, p_text, points, tested
from workbench.statistics.measures import Measure
from workbench.statistics.row import GAPS

_FEWEST = 30  # images below which nothing is concluded

HOW_TO_READ = """
The same images and labels, with every template. **Accuracy** is given for each. The **spread** is the accuracy of the
best template minus that of the worst. It is never below 0 and grows with the number of templates, so it is shown beside
the spread that chance alone gives: each image's correct and wrong answers, assigned to the templates at random.

**Ensemble gain** compares the average of all templates with the reference template, image by image, and **template
gain** the reference with the label alone. **Agreement** is the share of images that all templates name alike.

Groups are compared by the accuracy of the ensemble; each gap is shown beside what chance alone gives.
"""

LIMITS = """
- The best template was found on these images; on others it may be another. Do not choose by this table alone.
- With few images the spread of chance is wide, and real differences between templates are hidden in it.
- The templates were written for photos. Drawings favour "a drawing of a …" for reasons that have nothing to do with
  skill.
- Labels are used as they are; better class names often gain more than templates do.
"""

_CLAIMS = {  # metric -> claims where the value lies above zero, below zero, and without a direction
    "ensemble_gain": (
        "averaging all {count} templates raises accuracy by {} over “{reference}”",
        "averaging all {count} templates lowers accuracy by {} against “{reference}”",
        "averaging all {count} templates changes accuracy against “{reference}”",
    ),
    "template_gain": (
        "the reference template raises accuracy by {} over the label alone",
        "the reference template lowers accuracy by {} against the label alone",
        "the reference template changes accuracy against the label alone",
    ),
}


def findings(measures: Sequence[Measure], templates: int) -> Iterator[Finding]:
    """Yield the sentences on spread, gains and gaps between groups; `templates` is their number in the protocol."""
    for m in measures:
        if m.metric == "spread":
            yield _spread(m, templates)
        elif m.contrast in GAPS:
            yield gap_finding(m, "the accuracy of the ensemble", few=_FEWEST)
        elif m.metric in _CLAIMS:
            claim, opposite, neutral = (
                text.replace("{count}", str(templates)).replace("{reference}", m.reference)
                for text in _CLAIMS[m.metric]
            )
            yield finding(m, claim, opposite=opposite, neutral=neutral, few=_FEWEST)


def _spread(m: Measure, templates: int) -> Finding:
    if m.value is None or m.p_adj is None or m.null_q95 is None or (m.n or 0) < _FEWEST:
        return Finding(f"Not measured: the spread of templates (n = {m.n}).", "not measured", m.metric, n=m.n)
    size = (
        f"best minus worst of {templates} is {points(m.value)}; by chance alone, 95 of 100 spreads are below "
        f"{points(m.null_q95)}; {p_text(m)}, n = {m.n}"
    )
    if m.p_adj < ALPHA:
        return Finding(f"Found: templates differ in accuracy: {size}.", "found", m.metric, None, m.value, **tested(m))
    text = f"No evidence that templates differ in accuracy: {size}.{detectable(m)}"
    return Finding(text, "no evidence", m.metric, None, m.value, **tested(m))
