"""What the report says about association."""

from __future__ import annotations

from typing import Any

from audits.analysis import Finding
from audits.bias.association.score import Test
from audits.findings import ALPHA, detectable, p_text, tested
from workbench.statistics.measures import Measure

EFFECT = "association.d"

HOW_TO_READ = """\
There are two groups of images, X and Y, and two sets of words, A and B. For each image: its mean cosine to the words of
A minus its mean cosine to the words of B. The effect size is

    d = (mean over X - mean over Y) / standard deviation over X and Y together (n - 1 in the denominator)

- d above 0: X lies nearer to A and Y nearer to B, relative to each other. By convention 0.2 is small and 0.8 large.
- p: how often a random split of the same images into groups of these sizes gives a d as far from 0, in either
  direction; corrected for the number of tests. The tests of the papers are one-sided.
- The interval resamples images *and* words: it shows how much d depends on the choice of both.
- `nearer`: the share of a group's images that are nearer to A than to B. It depends on both word sets as a whole, so
  only the comparison of the two groups is meaningful."""

LIMITS = """\
- d compares two groups with each other. It does not show how either is treated in use.
- With few words or few kinds of images d is unstable: read the interval first.
- d is divided by the spread of the images. Where images hardly vary, a tiny difference gives a large d.
- The words come from tests on speakers of American English; they may mean other things to a model.
- The test shuffles single images. Images of one scene or figure resemble each other, which makes p too small for groups
  that differ in their figures (gender, age), and too large for those that share them (skin tones).
- Drawn people: skin tones come with hair colours, genders with hair and clothes; d reflects all of it."""


def finding(measure: Measure, test: Test) -> Finding:
    """Return the sentence on one test."""
    first, second = " or ".join(test.x), " or ".join(test.y)
    attribute = test.attribute.replace("_", " ")
    if measure.value is None or measure.p_adj is None:
        text = f"Not measured: {measure.label_set}; images or words do not vary, or there are too few images."
        return Finding(text, "not measured", EFFECT, {}, n=measure.n)
    nearer, other = (first, second) if measure.value > 0 else (second, first)
    low, high = measure.ci_low or 0.0, measure.ci_high or 0.0
    size = (
        f"d = {measure.value:.2f} (95 % interval {low:.2f} to {high:.2f}), {p_text(measure)} after correction "
        f"for {measure.n_tests} tests, n = {measure.n}"
    )
    claim = f"{attribute} {nearer} lies nearer to {test.a}, and {other} to {test.b}: {size}"
    facts: dict[str, Any] = {"metric": EFFECT, "effect": measure.value, **tested(measure)}
    if measure.p_adj >= ALPHA:
        text = (
            f"No evidence that {attribute} {first} and {second} differ in their association with {test.a} and {test.b}"
        )
        return Finding(
            f"{text}: {size}; 95 of 100 random splits stay below |d| = {measure.null_q95 or 0.0:.2f}."
            f"{detectable(measure, 'd')}",
            "no evidence",
            **facts,
        )
    if low <= 0 <= high:
        text = f"With exactly these words, {claim}. The interval also resamples the words, and contains 0."
        return Finding(text, "note", **facts)
    return Finding(f"Found: {claim}.", "found", **facts)
