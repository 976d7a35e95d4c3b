"""What a reader must know of the association test: how its numbers are read, and what they do not show."""

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
