"""What a reader must know of the audit of occupations: how its numbers are read, and what they do not show."""

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
