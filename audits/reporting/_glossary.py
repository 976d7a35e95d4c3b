"""Words of the report, each in one or two sentences.

Knows no run.
"""

from __future__ import annotations

GLOSSARY: tuple[tuple[str, str], ...] = (
    (
        "Attack success rate",
        "Of pictures named correctly before, the share that takes the written word for its name after.",
    ),
    (
        "Chance alone",
        "What a measure shows when group membership is shuffled and so means nothing: its mean, and the value below "
        "which 95 % of the shuffles lie. Gaps, MaxSkew and NDKL are above zero by construction; compare with this.",
    ),
    ("Cluster", "Pictures of one person, scene or video. They are alike, so intervals are made over clusters."),
    (
        "Could show",
        "The minimum detectable difference: the smallest difference from the share of the other groups that a group of "
        "this size would show in 80 of 100 repetitions. A smaller one was not ruled out; it was out of reach. Pictures "
        "of one cluster count as what independent ones would tell.",
    ),
    ("Effective robustness", "Accuracy under a shift beyond what the accuracy on the unshifted data predicts."),
    ("Expected calibration error", "How far stated probabilities lie from the shares that were right, on average."),
    ("Family", "The tests that are adjusted together: one audit, one metric, one way to slice."),
    (
        "Found",
        "The interval or the adjusted test excludes what chance gives. It says that there is an effect, not why.",
    ),
    ("Gap", "The largest value among the groups minus the smallest."),
    (
        "Interval",
        "The values that fit the data at the stated level. Its width is the uncertainty from the number of pictures "
        "alone; other pictures, labels or prompts can move a value further.",
    ),
    ("Label set", "The words that a model chooses from. Adding or removing a word changes every share."),
    (
        "MaxSkew@k, MinSkew@k",
        "Logarithm of a group's share among the first k results over its share in the data, largest and smallest.",
    ),
    ("n", "How many pictures, or pairs, stand behind a value."),
    ("NDKL", "How far the groups' shares along a ranking lie from those in the data, early ranks weighing more."),
    (
        "No evidence",
        "The data fit no effect. A small n fits nearly everything: look at the interval before reading it as absence.",
    ),
    ("Not measured", "Too few pictures, or the measure is not defined here. It is neither good nor bad news."),
    ("p adj.", "The p-value after adjustment for the number of tests in its family (Holm, or Benjamini-Hochberg)."),
    (
        "Published",
        "A number from a paper for the model that the source names. It is shown for orientation and not asserted.",
    ),
    (
        "Reversed",
        "The order of two groups turns round once a second attribute is held fixed (Simpson's paradox). Read the "
        "finding that names both before the gap.",
    ),
    ("Small n, suppressed", "Fewer than 100 pictures; fewer than 30. The row stays, the headline leaves it out."),
    ("Template", "The sentence that a label is put into, such as “a photo of a {}.”"),
    ("Zero-shot", "The model chooses among words it was never trained to choose from; nothing is fitted."),
)
