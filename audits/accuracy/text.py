"""What the report says about accuracy by names, by few images and by a probe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audits.analysis import Finding
from audits.findings import finding
from workbench.statistics.measures import Measure

HOW_TO_READ = """
The same test images are named in several ways, each a **label set** of the tables:

- **Zero-shot**: by the classes' names in the templates.
- **1, 4, 16 shots**: by logistic regression on so many images a class, drawn several times; the outcome of an image is
  the share of the drawings in which its answer is right.
- **Probe**: by logistic regression on all images that are not for testing. The one penalty is chosen on a part of them.

**Accuracy** counts images; **accuracy per class** gives each class the same weight. **Gain** is accuracy minus that of
zero-shot, image by image: above 0, labelled images help. The intervals of few shots count the drawing of the shots as
well as the test images. **ECE** is how far confidence misses accuracy on average. It has a band and no interval: 95 of
100 calibrated models with these confidences stay below the value of chance beside it.
"""

LIMITS = """
- Test images are the data set's own where it has the splits `train` and `test`; else half of the clusters. Nothing is
  chosen on them.
- Probes see the embeddings in the joint space. The CLIP paper takes the features before the projection, which are often
  a little better; the command `probe` does so.
- Images that are alike in train and in test raise a probe's accuracy and not that of zero-shot. State clusters where
  images belong together.
- Another wording of the classes, other templates or other classes give another zero-shot accuracy.
- The built-in drawings are variations of one drawing a class: a probe learns the drawing, which says nothing of photos.
"""

_FEWEST = 30  # images below which nothing is concluded


def findings(measures: Sequence[Measure]) -> Iterator[Finding]:
    """Yield the sentences on what labelled images add."""
    for m in measures:
        if m.metric == "gain":
            yield finding(
                m,
                f"{m.label_set} raises accuracy over zero-shot by {{}}",
                opposite=f"accuracy with {m.label_set} is below that of zero-shot by {{}}",
                neutral=f"{m.label_set} and zero-shot differ in accuracy",
                few=_FEWEST,
            )
