"""What the report says about association."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.analysis import Finding
from audits.bias.association.score import Test
from workbench.statistics.measures import Measure

if TYPE_CHECKING:
    pass

EFFECT = "association.d"

HOW_TO_READ = """\
Two groups of pictures, X and Y, and two sets of words, A and B. For each picture: its mean cosine to the words of A
minus that to the words of B. The effect size is

    d = (mean over X - mean over Y) / standard deviation over X and Y together (n - 1 in the denominator)

- d above 0: X lies nearer to A, Y nearer to B, compared with each other. 0.2 is called small, 0.8 large, by convention.
- p: how often a random split of the same pictures into groups of these sizes gives a d as far from 0, in either
  direction; corrected for the number of tests. The papers' tests are one-sided.
- The interval draws pictures *and* words again: it says how far d hangs on the choice of both.
- `nearer`: the share of a group's pictures that are nearer to A than to B. It depends on the level of both word sets,
  so only the comparison of the two groups says something."""
LIMITS = """\
- d compares two groups with each other. It says nothing about how either is treated in use.
- With few words or few kinds of pictures d is unstable: read the interval first.
- d is divided by the spread of the pictures. Where pictures hardly vary, a tiny difference gives a large d.
- The words come from tests on American English speakers; they may mean other things to a model.
- The test shuffles single pictures. Pictures of one scene or figure resemble each other, which makes p too small for
  groups that differ in their figures (gender, age), and too large for those that share them (skin tones).
- Drawn people: a skin tone comes with its hair colour, a gender with hair and clothes; d speaks of all of it."""
ALPHA = 0.05


def finding(measure: Measure, test: Test) -> Finding:
    """Return the sentence on one test."""
    first, second = " or ".join(test.x), " or ".join(test.y)
    attribute = test.attribute.replace("_", " ")
    if measure.value is None or measure.p_adj is None:
        text = f"Not measured: {measure.label_set}; pictures or words do not vary, or there are too few pictures."
        return Finding(text, "not measured", EFFECT, {}, n=measure.n)
    nearer, other = (first, second) if measure.value > 0 else (second, first)
    size = f"d = {measure.value:.2f} (95 % interval {measure.ci_low:.2f} to {measure.ci_high:.2f})"
    odds = f"p = {measure.p_adj:.3g} after correction, n = {measure.n}"
    lies = f"{attribute} {nearer} lies nearer to {test.a}, and {other} to {test.b}: {size}, {odds}"
    if measure.p_adj >= ALPHA:
        text = f"No evidence that {attribute} {first} and {second} lie differently between {test.a} and {test.b}: "
        return Finding(f"{text}{size}, {odds}.", "no evidence", EFFECT, {}, measure.value, measure.p_adj, measure.n)
    if (measure.ci_low or 0.0) <= 0 <= (measure.ci_high or 0.0):
        text = f"With exactly these words, {lies}. The interval, which draws the words again too, holds 0."
        return Finding(text, "note", EFFECT, {}, measure.value, measure.p_adj, measure.n)
    return Finding(f"Found: {lies}.", "found", EFFECT, {}, measure.value, measure.p_adj, measure.n)
