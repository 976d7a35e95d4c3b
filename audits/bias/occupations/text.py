"""What the report says about occupations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audits.analysis import Finding
from audits.bias.occupations.score import Tagged
from audits.findings import ALPHA, detectable, points
from workbench.statistics.measures import Measure

SHOWN = 5  # labels that a sentence names

HOW_TO_READ = """\
Every label whose probability exceeds a threshold counts; an image may have many such labels, or none. For each label:

- `labelled>0.005`, `labelled>0.04`: the share of each side's images with the label above 0.5 %, or above 4 %.
- The difference between the sides, with a chi-square test of label against side (Fisher's exact test where counts are
  small), corrected for the number of labels that occur.
- The chart shows the labels that differ most, the most frequent first, with the share on both sides.

`accuracy.occupation` exists where the data name a person's occupation: the share of images for which it is the
likeliest label, by group and intersection, with gaps beside chance.

Lower thresholds bring up other kinds of labels: at 4 % the paper saw lawmakers for both sides, at 0.5 % nanny and
housekeeper for women, prisoner and mobster for men."""

LIMITS = """\
- A threshold on a softmax means something else for each label set: with 20 labels 4 % is less than chance, with 300
  it is twelve times chance. Compare only runs with the same protocol hash. Sigmoid models have other probabilities.
- The list of occupations is ours. The paper's 300 were never published, so labels cannot be compared one by one.
- A label that never occurs is not tested, and a rare one cannot become significant: neither shows equal treatment.
- In photographs the sides differ in more than gender: clothes, background, pose, photographer. The test does not hold
  these fixed.
- Drawn people share scene, size and place between the genders of one occupation; they differ in how the artists drew a
  man and a woman. In some occupations that is one tuft of hair. Eighteen occupations are no sample of working life.
- The correct occupation of a drawing is a hat or a tool; recognising it is not recognising a person's work."""


def findings(measures: Sequence[Measure], tagged: Tagged) -> Iterator[Finding]:
    """Yield which labels are more frequent on which side, or that none is."""
    rows = tagged.differences(measures)
    where = f"above {100 * tagged.threshold:g} % (label set {tagged.label_set}, {len(tagged.labels)} labels)"
    first, second = tagged.sides
    if not rows:
        yield Finding(
            f"Not measured: no image has a label {where}.", "not measured", tagged.metric, {}, n=len(tagged.side)
        )
        return
    sure = [m for m in rows if m.p_adj is not None and m.p_adj < ALPHA and m.value]
    if not sure:
        largest = max(rows, key=lambda m: abs(m.value or 0.0))
        text = (
            f"No evidence that a label {where} is more frequent for {first} or {second}: {len(rows)} labels tested; "
            f"the largest difference is {points(abs(largest.value or 0.0))}, {largest.slice['label']}."
        )
        text += detectable(largest)
        yield Finding(text, "no evidence", tagged.metric, {}, largest.value, largest.p_adj, n=len(tagged.side))
        return
    for side, sign in ((first, 1), (second, -1)):
        more = [m for m in sure if sign * (m.value or 0) > 0]
        more.sort(key=lambda m: (-abs(m.value or 0), m.slice["label"]))
        if not more:
            continue
        names = ", ".join(f"{m.slice['label']} ({100 * abs(m.value or 0):.0f} points)" for m in more[:SHOWN])
        text = (
            f"Found: {len(more)} of {len(rows)} labels {where} are more frequent for {side}; largest differences: "
            f"{names}; p at most {max(m.p_adj or 0 for m in more):.3g} after correction for {more[0].n_tests} tests."
        )
        yield Finding(text, "found", tagged.metric, {}, more[0].value, more[0].p_adj, more[0].n)
