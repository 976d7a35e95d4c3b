"""What the report says about calibration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audits.analysis import Finding
from audits.equal_odds import METRIC
from audits.findings import finding, gap_finding
from workbench.statistics.measures import Measure
from workbench.statistics.row import GAPS

_FEWEST = 30  # images below which nothing is concluded
_GAPS = {"ece": "the calibration error", METRIC: "a rate of right or wrong labels (equalised odds)"}

HOW_TO_READ = """
**ECE**, the expected calibration error, is the average distance between confidence and accuracy: 0.10 means ten points
off. Images are binned by confidence, once in bins of equal width, once in bins of equally many images. With few images
even a perfectly calibrated model has an ECE above 0, so a consistency band is shown in place of an interval: the mean
of such a model, and the value below which 95 of 100 such models stay. Only an ECE above it is evidence. The band is of
each row alone; the p-value is corrected for all rows of its kind, and decides.

**Overconfidence** is mean confidence minus accuracy; below 0 the model is underconfident. **Brier** (0 best, 2 worst)
and **NLL** (in nats) judge all probabilities at once, correct ones and wrong ones.

The **temperature** divides all logits. It is fitted on one half of the images and tested on the other: it shows how
much of the error a single number would remove, not how the model behaves as it is. Above 1: overconfident.

Each **label set** is a separate question: of two labels, the correct one is easily the likeliest.

Groups are compared by accuracy, overconfidence, calibration error and **equalised odds**: the largest gap in how often
a label is given where it is true (recall), or where it is not. Each gap is shown beside what chance alone gives; of the
calibration error, what the sizes of the groups explain is taken off first.
"""

LIMITS = """
- Confidence is a softmax over the labels asked (for sigmoid models: of each label alone). Other labels give another
  confidence: a model as such has no calibration.
- Smaller label sets are drawn at random, so their labels are mostly dissimilar; sets that people choose are harder.
- ECE depends on its bins and hides errors that cancel within one. Where equal width and equal mass disagree, rely on
  neither alone.
- Images of one thing are similar: intervals and bands resample whole clusters. None applies to images of another kind.
- Good calibration on average does not mean good calibration for a group; read the rows by group.
"""


def findings(measures: Sequence[Measure]) -> Iterator[Finding]:
    """Yield the sentences on over- and underconfidence, and on gaps between groups."""
    for m in measures:
        if m.contrast in GAPS:
            yield gap_finding(m, _GAPS.get(m.metric, m.metric), few=_FEWEST)
        elif m.metric == "overconfidence" and not m.slice and m.value is not None:
            yield finding(
                m,
                f"the model is overconfident by {{}} on average ({m.label_set})",
                opposite=f"the model is underconfident by {{}} on average ({m.label_set})",
                neutral=f"the model is over- or underconfident on average ({m.label_set})",
                few=_FEWEST,
            )
