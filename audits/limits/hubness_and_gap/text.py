"""What the report says about hubs and the gap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audits.analysis import Finding
from audits.changes import CHANGE
from audits.findings import amount, detectable, finding, strength
from workbench.statistics.measures import Measure

NAMES = {"hub": "hubs", "gap": "gap", "right": "right names", "retrieved": "images found by their label"}

HOW_TO_READ = """
About two hundred sentences that have nothing to do with the images in particular are asked as searches.

- **Hub**: an image that is among the first ten answers more than three times as often as an even share. Such images
  answer to everything, and stand before better answers.
- **Hubness**: the skewness of how often images are among the first ten. Even searches give about 0; `null 95 %` is what
  chance alone reaches.
- **Gap**: the distance between the mean of the images and the mean of the texts (0 to 2). All images lie in one corner
  of the space and all texts in another, so a cosine of 0.3 may be high.
- **Right**: the image is named rightly. **Retrieved**: it is among as many first answers to its label as there are
  images with it.
- **Centred**: the mean of the images is taken off all images, that of the texts off all texts; both means come from
  other images and other sentences. **Querybank**: Search's correction ranks hubs down. `….change` is either minus the
  model as it is, image by image.
"""

LIMITS = """
- A gap is no fault by itself: models are trained with it, and rankings do not see it. Centring closes it by arithmetic;
  only *right* and *retrieved* say whether that helps.
- Hubs depend on the sentences and the images: other searches have other hubs.
- With few images each is often among the first ten. Built-in images are drawings, one thing each.
"""


def findings(measures: Sequence[Measure]) -> Iterator[Finding]:
    """Yield the sentences on hubs, on the gap, and on what centring and the querybank change."""
    for m in measures:
        way = "" if m.label_set == "as it is" else f" ({m.label_set})"
        if m.metric == "hubness" and m.value is not None and m.null_q95 is not None:
            beyond = m.p_adj is not None and m.p_adj < 0.05 and m.value > m.null_q95
            text = f"answers gather on a few images{way}: hubness {amount(m)}, by chance below {m.null_q95:.2f}."
            text = f"Found: {text}" if beyond else f"No evidence that {text}{detectable(m, 'hubness')}"
            yield Finding(text, "found" if beyond else "no evidence", m.metric, {}, m.value, m.p_adj, m.n)
        if m.metric == "hub" and not way:
            yield Finding(f"Hubs{way}: {amount(m)} of the images.", "note", m.metric, {}, m.value, n=m.n)
        if m.metric == "gap":
            yield Finding(
                f"The means of images and texts{way} are {amount(m)} apart.", "note", m.metric, {}, m.value, n=m.n
            )
        if m.metric in ("hub.change", "right.change", "retrieved.change"):
            claim = f"{m.label_set}, {NAMES[m.metric.removesuffix(CHANGE)]} rise by {{}}"
            if strength(m) != "not measured":
                yield finding(m, claim, opposite=claim.replace("rise", "fall"))
