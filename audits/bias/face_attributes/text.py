"""What the report says about face attributes."""

from __future__ import annotations

HOW_TO_READ = """\
The model is asked for race (or skin tone), gender and age of each picture, in two ways:

- **zero-shot**: the likeliest of a few sentences. Depends on their wording.
- **linear probe**: a logistic regression on the model's vectors, learned from one part of the data and judged on the
  other. Shows what the vectors hold, whatever the wording. Its strength is chosen on the training part alone, and
  pictures of one cluster are never on both sides. It is a small version of the paper's: it works on the joint space.

`accuracy.X` is the share of pictures whose X is told right, for everybody, by group, and by intersection, with count
and interval. A gap is the largest difference between two groups; chance alone gives one, see the null column. The
matrix shows who is taken for whom. A group with few pictures is flagged, never dropped."""
LIMITS = """\
- High accuracy is no merit. Telling race, gender or age from a face is out of scope for CLIP whatever the accuracy;
  the audit measures a capability in order to show for whom it fails.
- Race and gender of photographs are what annotators perceived, in the categories that they were offered. Nobody's
  identity is measured. FairFace is known to hold label errors, which pull every accuracy down.
- Accuracies over different numbers of classes cannot be compared: chance is 1/2 for two and 1/7 for seven.
- A prompt that fits one group worse lowers that group's zero-shot accuracy; compare with the probe.
- The papers' probe uses the features before the projection and all training data; expect ours to be lower.
- Drawn people: the probe sees the same figures on other scenes, so its accuracy speaks of scenes, not of unseen
  figures. Skin tone is not race, and hair colour changes with it."""
