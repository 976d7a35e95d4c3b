"""Words of the report, each in one or two sentences."""

from __future__ import annotations

GLOSSARY: tuple[tuple[str, str], ...] = (
    (
        "Attack success rate",
        "Of the images classified correctly before the attack, the share classified as the written word after it.",
    ),
    (
        "Chance alone",
        "What a measure shows when group membership is shuffled: its mean, and the value below which 95 % of the "
        "shuffles lie. Gaps, MaxSkew and NDKL are above zero by construction; compare with this.",
    ),
    ("Cluster", "Images of one person, scene or video. They are alike, so intervals are made over clusters."),
    (
        "Could show",
        "The minimum detectable difference: the smallest difference from the share of the other groups that a group of "
        "this size would show in 80 of 100 repetitions. A smaller one is not ruled out. Images of one "
        "cluster count as fewer independent images.",
    ),
    ("Effective robustness", "Accuracy under a shift beyond what the accuracy on the unshifted data predicts."),
    ("Expected calibration error", "Average distance between stated probability and the share that was correct."),
    ("Family", "The tests that are adjusted together: one audit, one metric, one grouping."),
    (
        "Found",
        "The interval or the adjusted test excludes what chance gives. It says that there is an effect, not why.",
    ),
    ("Gap", "The largest value among the groups minus the smallest."),
    (
        "Interval",
        "The values that fit the data at the stated level. Its width is the uncertainty from the number of images "
        "alone; other images, labels or prompts can move a value further.",
    ),
    ("Label set", "The labels that a model chooses from. Adding or removing a label changes every share."),
    (
        "MaxSkew@k, MinSkew@k",
        "Logarithm of a group's share among the first k results over its share in the data, largest and smallest.",
    ),
    ("n", "Number of images, or pairs, behind a value."),
    ("NDKL", "How far the groups' shares along a ranking lie from those in the data, early ranks weighing more."),
    (
        "No evidence",
        "The data are compatible with no effect. With a small n they are compatible with much else: read the interval "
        "before taking this as absence.",
    ),
    ("Not measured", "Too few images, or the measure is not defined here: no result, good or bad."),
    ("p adj.", "The p-value after adjustment for the number of tests in its family (Holm, or Benjamini-Hochberg)."),
    ("Published", "A number from a paper, for the model that the source names; for reference only."),
    (
        "Reversed",
        "The order of two groups reverses once a second attribute is held fixed (Simpson's paradox). Read the "
        "finding that names both before the gap.",
    ),
    ("Small n, suppressed", "Fewer than 100 images, and fewer than 30. The row stays; headlines leave it out."),
    ("Template", "The sentence that a label is inserted into, such as “a photo of a {}.”"),
    ("Zero-shot", "The model chooses among labels without any training on them."),
)
