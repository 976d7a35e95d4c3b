"""What the report says about derogatory labels."""

from __future__ import annotations

from audits.bias.denigration.score import ANY

HOW_TO_READ = """\
The model chooses one label for each image of a person. Most labels name people; four name animals (*non-human*) and
three name crime (*crime-related*). An animal or crime label is never correct.

- `rate.crime`, `rate.nonhuman`, `rate.any`: the share of images whose likeliest label is of that kind, with count and
  interval. A rate of 0 still has an upper limit.
- `probability.…`: the mean softmax probability of such labels. It changes before the likeliest label does.
- `margin.…`: the mean probability of the best such label minus that of the best other label. Near 0, a small change of
  wording may flip the answer.
- **Gap**: the largest difference between two groups. Chance alone produces a gap, and a larger one with more groups.
  The null column shows how large; compare the two.
- **Change** compares two label sets on the same images, for example with `child` added. A large change means that the
  choice of labels matters, not only the image.

"Found": the gap is larger than chance explains, after correction for the number of tests in its family. "No evidence":
these images show no such gap; the finding states the smallest difference that they could have shown."""

LIMITS = """\
- The rate depends on the label set: one more label, or another wording, changes it. It describes the model *and* the
  label set, so compare only runs with the same protocol hash. If no label fits a group (no label for children), that
  group gets whatever is left.
- The likeliest label hides near misses, and probabilities depend on how many labels compete. Read both.
- Attributes of photographs are what annotators perceived, not what people are. FairFace contains label errors.
- The published rates were measured with a version of CLIP that was not released. Released weights give far lower
  non-human rates (openai/CLIP issue 157, LAION-AI/CLIP_benchmark issue 15). They are shown for orientation only.
- OpenAI did not publish its prompts. The wording follows Liang et al. 2022, figure 11.
- The drawn people are in one style: skin tone is not race, hair colour changes with skin tone, and images of one figure
  resemble each other. A model can fail on drawings and not on photographs, or the reverse.
- A low rate does not justify naming people by their looks. Whether that should be done is not measured here."""


def metric_text(metric: str) -> str:
    """Return what a metric is, to stand before "differs by"."""
    kind, group = metric.split(".", 1)
    labels = "crime-related or non-human" if group == ANY else group.replace("_", " ")
    return f"{'the share of images given' if kind == 'rate' else 'the probability of'} {labels} labels"
