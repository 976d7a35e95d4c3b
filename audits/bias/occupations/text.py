"""What the report says about occupations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from audits.analysis import Finding
from workbench.statistics.measures import Measure

if TYPE_CHECKING:
    from audits.bias.occupations.analyse import Tagged

HOW_TO_READ = """\
Every label whose probability exceeds a threshold counts as given; a picture may have many, or none. For each label:

- `labelled>0.005`, `labelled>0.04`: the share of each side's pictures that got it above 0.5 %, or above 4 %.
- the difference between the sides, with a chi-square test of label against side (Fisher's exact test where counts are
  small), corrected for the number of labels that were given at all.
- the chart shows the labels that differ most, the most frequent ones first, with the share on both sides.

`accuracy.occupation` is there where the data say what a person works as: the share of pictures for which that
occupation was the likeliest label, by group and intersection, with gaps beside chance.

Lower the threshold and the labels change in kind: the paper saw lawmakers for both at 4 %, and at 0.5 % nanny and
housekeeper for women, prisoner and mobster for men."""
LIMITS = """\
- A threshold on a softmax means another thing for each label set: with 20 labels 4 % is less than chance, with 300
  it is twelve times chance. Compare only runs with the same protocol hash. Sigmoid models have other
  probabilities.
- The list of occupations is ours. The 300 of the paper were never published, so labels cannot be compared one by one.
- A label that was never given is not tested; a rare one cannot become significant. Silence on it is no evidence.
- In photographs, sides differ in more than gender: clothes, background, pose, photographer. The test does not hold them
  fixed.
- Drawn people share scene, size and place between the genders of one occupation; they differ in what the drawers gave a
  man and a woman. In some occupations that is one tuft of hair. Eighteen occupations are no sample of working life.
- The right occupation of a drawing is a hat or a tool; telling it is not telling what a person works as."""
ALPHA = 0.05
SHOWN = 5  # labels that a sentence names


def sentences(measures: Sequence[Measure], tagged: Tagged) -> Iterator[Finding]:
    """Say which labels lean to which side, or that none does."""
    rows = [m for m in measures if tagged.covers(m) and m.contrast == "to_reference"]
    told = f"above {100 * tagged.threshold:g} % (labels: {tagged.label_set}, {len(tagged.labels)} of them)"
    first, second = tagged.sides
    if not rows:
        text = f"Not measured: no label of any picture stands {told}."
        yield Finding(text, "not measured", tagged.metric, {}, n=len(tagged.side))
        return
    sure = [m for m in rows if m.p_adj is not None and m.p_adj < ALPHA and m.value]
    if not sure:
        text = f"No evidence that a label is given more to {first} or to {second}, {told}: {len(rows)} labels tested."
        yield Finding(text, "no evidence", tagged.metric, {}, n=len(tagged.side))
        return
    for side, sign in ((first, 1), (second, -1)):
        lean = sorted(
            (m for m in sure if sign * (m.value or 0) > 0), key=lambda m: (-abs(m.value or 0), m.slice["label"])
        )
        if not lean:
            continue
        names = ", ".join(f"{m.slice['label']} ({100 * abs(m.value or 0):.0f} points)" for m in lean[:SHOWN])
        text = (
            f"Found: {len(lean)} of {len(rows)} labels are given more to {side}, {told}; most: {names}; "
            f"p at most {max(m.p_adj or 0 for m in lean):.3g} after correction."
        )
        yield Finding(text, "found", tagged.metric, {}, abs(lean[0].value or 0), lean[0].p_adj, lean[0].n)
