"""What the report says about unknown images and digits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audits.analysis import Finding
from audits.findings import finding
from workbench.statistics.measures import Measure

CHANCE = 0.1  # of reading one of ten digits

HOW_TO_READ = """
A score is high where an image looks like one of the labels. **AUROC** is how often a known image scores higher than an
unknown one: 0.5 is chance, 1 perfect; below 0.5 unknown images score higher than known ones. **FPR95** is the share of
unknown images above the threshold that 95 of 100 known ones pass: 0 is best, 0.95 chance.

Four scores: **msp** the largest probability, **max_logit** the largest scaled cosine, **energy** the log of the sum of
exponentials of all, **mcm** the largest of a softmax over plain cosines (temperature 1). Each is tested against every
kind of unknown image, and against all together.

**Accuracy** is that of the known images among the labels. **Digit accuracy** is a separate question: which of the ten
digits is printed? Guessing gives one in ten.
"""

LIMITS = """
- What is unknown depends on the labels. A model that recognises lions has no word for them when only tiger is asked;
  its near answer is not an error of recognition.
- We chose the kinds of unknown images. Separating textures well does not mean separating the next kind well.
- A score that separates on average does not come with a threshold: one must be chosen on other images.
- Printed digits are not handwriting; for MNIST and others give a folder with columns `origin` and `label`.
- The average over all unknown kinds weights each kind by its number of images.
"""


def findings(measures: Sequence[Measure]) -> Iterator[Finding]:
    """Yield the sentences on separation, for two of the scores, and on digits."""
    for m in measures:
        if m.metric == "auroc" and m.slice["score"] in ("msp", "mcm"):
            score, kind = m.slice["score"], m.slice["against"]
            claim = f"{score} is higher for known images than for {kind}: AUROC {{}}"
            opposite = f"{score} is lower for known images than for {kind}: AUROC {{}}"
            yield finding(m, claim, opposite=opposite, neutral=f"{score} separates known images from {kind}", zero=0.5)
        if m.metric == "digit_accuracy" and not m.slice:
            claim = "printed digits are read better than by guessing (10 %): {} are correct"
            yield finding(m, claim, opposite=claim.replace("better", "worse"), zero=CHANCE)
