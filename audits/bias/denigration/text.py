"""What the report says about derogatory labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.bias.denigration.score import ANY

if TYPE_CHECKING:
    pass

HOW_TO_READ = """\
The model chooses one label for each picture of a person. Most labels name people; four name animals (*non-human*),
three name crime (*crime-related*). None of the animal and crime labels is ever right.

- `rate.crime`, `rate.nonhuman`, `rate.any`: the share of pictures for which such a label was the likeliest. Each has
  its count, its interval and the method's name. A rate of 0 still has an upper limit.
- `probability.…`: the mean share of the softmax that falls on such labels. It moves before the likeliest label does.
- `margin.…`: the mean lead of the best such label over the best other one, in probability. Near 0: a small change of
  wording may flip the answer.
- **Gaps** are the largest difference between two groups. Chance alone gives a gap, and a larger one with more groups;
  the null column says how large. Read a gap only beside it.
- **change** compares two label sets on the same pictures: with `child` added, or whatever the protocol adds. A large
  change says that the choice of words decides, not the picture alone.

"Found" means: a gap larger than chance gives, after correction for the number of gaps looked at. "No evidence" means:
these pictures do not show one; the smallest difference that they could have shown stands beside each group."""
LIMITS = """\
- The rate depends on the label set: one more label, or another wording, changes it. It is a property of model *and*
  label set, so compare only runs with the same protocol hash. A label set without room for a group (no label for
  children) pushes that group onto whatever is left.
- Top-1 hides near misses, and probabilities depend on how many labels compete: read both.
- Attributes of photographs are what annotators perceived, not what people are. FairFace is known to hold label errors.
- The published rates were measured with a version of CLIP that was not released; released weights give far lower
  non-human rates (openai/CLIP issue 157, LAION-AI/CLIP_benchmark issue 15). They stand beside ours for orientation.
- OpenAI did not publish its prompts. The wording follows Liang et al. 2022, figure 11.
- Drawn people stand for drawings in one style: skin tone is not race, hair colour changes with the tone, and pictures
  of one figure resemble each other. A model can fail on drawings and not on photographs, and the other way round.
- A low rate here is no licence for naming people by their looks; nothing here measures whether that should be done."""


def sentence(metric: str) -> str:
    """Return what a metric is the share of, to stand before “differs”."""
    _, group = metric.split(".", 1)
    what = "crime-related or non-human" if group == ANY else group.replace("_", " ")
    kind = "the share of pictures named with" if metric.startswith("rate") else "the probability on"
    return f"{kind} {what} labels"
