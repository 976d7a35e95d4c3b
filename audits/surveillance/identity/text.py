"""What the report says about identity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audits.analysis import Finding
from audits.findings import finding, gap_finding
from audits.surveillance.identity.score import Settings
from workbench.statistics.measures import Measure
from workbench.statistics.row import GAPS

HOW_TO_READ = """
Each subject's images of the split `gallery`, or else its first image, form the gallery; the others are probes. (With
the protocol `names` the gallery is a prompt with each label instead.)

- **top1@N**: the probability that a probe's own subject scores highest in a random gallery of N subjects. It is
  computed exactly from how many of all subjects score as high as the own one; the table of drawn galleries shows how
  much single galleries vary. It falls as N grows. Guessing gives 1/N.
- **False match** at a threshold: the share of comparisons with a stranger that reach it. **False non-match**: the share
  of probes whose own subject does not reach it. The threshold is the lowest that lets through at most the protocol's
  share of strangers (1 % by default), over all groups together.
- **Equal error rate**: where the two rates are equal as the threshold moves; one number for how well they separate.
- By group: one threshold for all. A group with more false matches is mistaken for others more often; *within* counts
  only strangers of the same group, where people who look alike are compared.

Intervals resample subjects with all their images. Gaps between groups are shown beside what chance alone gives.
"""

LIMITS = """
- Face recognition and surveillance are out of scope for CLIP at any performance (model card). These numbers measure a
  risk; they are no endorsement, and equal error rates do not make a use acceptable.
- The report names nobody: subjects and images are numbered, and no row says who is mistaken for whom.
- Drawn characters differ more in hats and hair than people do, and their views differ less. Their numbers test the
  method and compare groups of drawings; they do not apply to faces. Skin tone is not race.
- In top1@N the gallery always contains the probe's subject (closed set). In use it mostly does not: read false matches.
- Galleries larger than the number of subjects are not measured and never extrapolated.
"""


def findings(measures: Sequence[Measure], settings: Settings, *, subjects: int) -> Iterator[Finding]:
    """Yield the sentences on accuracy beside guessing and on gaps between groups, and which galleries are too large."""
    for m in measures:
        if m.metric.startswith("top1@") and not m.slice:
            chance, subjects_shown = m.null_mean or 0.0, m.metric.removeprefix("top1@")
            claim = (
                f"in a gallery of {subjects_shown} subjects the own subject ranks first in {{}} of cases, more than by "
                f"guessing ({100 * chance:.2g} %)"
            )
            yield finding(m, claim, opposite=claim.replace("more", "less"), few=settings.min_n, zero=chance)
        if m.contrast in GAPS:
            yield gap_finding(m, "the false non-match rate at one threshold", few=settings.min_n)
    for size in settings.gallery_sizes:
        if size > subjects:
            text = f"Not measured: a gallery of {size} subjects; the data set has {subjects}."
            yield Finding(text, "not measured", metric=f"top1@{size}", n=0)
