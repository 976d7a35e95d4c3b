"""What the report says about face attributes."""

from __future__ import annotations

HOW_TO_READ = """\
The model predicts race (or skin tone), gender and age of each image by two methods:

- **zero-shot**: the likeliest of a few sentences. Depends on their wording.
- **linear probe**: a logistic regression on the model's image vectors, fitted on one part of the data and tested on the
  other. It shows what the vectors contain, whatever the wording. Its strength is chosen on the training part alone,
  and a cluster is never split between the parts. It uses the joint space, where the paper used the features before it.

`accuracy.X` is the share of images whose X is predicted correctly: overall, by group and by intersection, with count
and interval. A gap is the largest difference between two groups; chance alone produces one, see the null column.
Equalised odds is the largest gap in how often a value is predicted where it is true (recall) or where it is not. The
confusion matrix shows which values are mistaken for which. A group with few images is flagged, never dropped."""

LIMITS = """\
- High accuracy is no merit. Predicting race, gender or age from a face is out of scope for CLIP at any accuracy; the
  audit measures the capability to show for whom it fails.
- Race and gender of photographs are what annotators perceived, in the categories that they were offered. Identity is
  not measured. FairFace contains label errors, which lower every accuracy.
- Accuracies over different numbers of classes are not comparable: guessing gives 1/2 for two and 1/7 for seven.
- A prompt that fits one group worse lowers that group's zero-shot accuracy; compare with the probe.
- The paper's probe uses the features before the projection and all training data; expect ours to be lower.
- Drawn people: the probe sees the same figures in other scenes, so its accuracy is about new scenes, not new figures.
  Skin tone is not race, and hair colour changes with it."""
