"""What the report says about natural shifts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from audits.analysis import Finding
from audits.findings import finding
from audits.shift.natural.score import Settings
from workbench.statistics.measures import Measure

HOW_TO_READ = """
The same classes are named in two kinds of images: the base and a shifted one. Both accuracies count only the classes of
the shift, and the model chooses among these alone; 200 classes are never compared with 1,000.

- **Accuracy** on base and on shift, each with its interval.
- **Fall**: accuracy on the base minus accuracy on the shift, class by class, then averaged; the interval resamples
  classes, each with both kinds of images.
- **Effective robustness**: accuracy on the shift minus what a line through other models predicts from the accuracy on
  the base. The line is straight on the logit scale, ln(p / (1 - p)), on both axes; the models behind it are in the
  table of points. Zero means: like other models of this accuracy.
- **Relative robustness**: accuracy on the shift minus that of the named model.

A fall alone is hard to interpret: a model with a low base accuracy falls less. Where there is a line, effective
robustness is the fair comparison.
"""

LIMITS = """
- Without published points for exactly these images there is no line, and effective robustness is not measured. It is
  never estimated from points on other images.
- The line depends on its models. The shipped points for ImageNet are seven models trained on ImageNet alone, of more
  than two hundred in the testbed.
- A model trained on images like the shifted ones is not robust but informed. What it was trained on is often unknown.
- Class names and templates change accuracies by several points; they are the same on both sides here.
- The built-in styles are made from one drawing each. They show whether style matters for the same thing, and do not
  represent ImageNet-R, Sketch or any other set. Their things were chosen among those that the first `pocket` named in
  colour, which raises its accuracy on the base.
- For video frames a cluster is an anchor with its neighbours; the mean of both ways of counting follows Taori et al.
"""

_CLAIMS = {  # metric -> claims where the value lies above and below zero
    "fall": ("accuracy falls by {} from the base to {style}", "accuracy rises by {} from the base to {style}"),
    "effective_robustness": (
        "accuracy on {style} lies above the line of other models by {}",
        "accuracy on {style} lies below the line of other models by {}",
    ),
    "relative_robustness": (
        "accuracy on {style} lies above that of the reference model by {}",
        "accuracy on {style} lies below that of the reference model by {}",
    ),
}


def findings(measures: Sequence[Measure], classes: Mapping[str, int], settings: Settings) -> Iterator[Finding]:
    """Yield the sentences on falls and robustness, and what could not be measured.

    `classes` says how many classes each shift shares with the base.
    """
    for m in measures:
        if m.metric in _CLAIMS:
            claim, opposite = (text.replace("{style}", m.label_set) for text in _CLAIMS[m.metric])
            yield finding(m, claim, opposite=opposite, few=settings.min_classes)
    for style, n in classes.items():
        here = {"label_set": style}
        if n < settings.min_classes:
            text = f"Not measured: {style} shares {n} class(es) with the base, fewer than {settings.min_classes}."
            yield Finding(text, "not measured", metric="fall", slice=here, n=n)
        elif len(settings.baseline_points.get(style, ())) < 3:
            text = f"Not measured: effective robustness on {style}; fewer than 3 models have published points on it."
            yield Finding(text, "not measured", metric="effective_robustness", slice=here, n=n)
