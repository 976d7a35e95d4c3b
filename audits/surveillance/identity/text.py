"""What the report says about identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

HOW_TO_READ = """
Each subject's pictures of the split `gallery`, or else its first one, are the gallery; the others are probes. (With the
protocol `names` the gallery is a prompt with each label instead.)

- **top1@N**: the chance that a probe's own subject scores highest in a gallery of N subjects drawn at random. It is
  worked out exactly from how many of all subjects score as high as the own one, so it holds no luck of the draw; the
  table of drawn galleries shows how far single galleries spread. It falls as N grows. Guessing gives 1/N.
- **False match** at a threshold: the share of comparisons with a stranger that reach it. **False non-match**: the
  share of probes whose own subject does not. The threshold is the lowest that lets through the protocol's share of
  strangers (1 % by default) over all groups together.
- **Equal error rate**: where the two are equal as the threshold moves; one number for how far they lie apart.
- By group: one threshold for all. A group with more false matches is mistaken for others more often; *within* counts
  strangers of the same group only, where errors between people who look alike stand.

Intervals resample subjects with all their pictures. Gaps between groups stand beside what chance alone gives.
"""
LIMITS = """
- Face recognition and surveillance are out of scope for CLIP whatever the performance (model card). These numbers are a
  measurement of a risk, not an endorsement, and equal error rates do not make a use acceptable.
- The audit tells no identities: subjects and pictures are numbered, and no row says who is taken for whom.
- Drawn characters differ in hats and hair more than people do, and their views differ less. Their numbers say how the
  audit counts and whether groups of drawings are treated alike; they say nothing of faces. Skin tone is not race.
- The gallery holds the probe's subject in the first measure (closed set). In use it mostly does not: look at false
  matches.
- Galleries beyond the number of subjects at hand are not measured, never extrapolated.
"""
