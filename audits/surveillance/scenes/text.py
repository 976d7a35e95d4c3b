"""What the report says about scenes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

HOW_TO_READ = """
Each picture of a scene is asked up to three times.

- **Coarse**: its caption among those of other scenes, six in all by default. This tells scenes apart.
- **Stress**: the same, with one or more *close* captions added: the same place with another thing in it. A model that
  only recognises the place cannot tell these apart.
- **Fine**: two captions that differ in a small detail, such as a box in the corner.

**Accuracy** is the share of pictures whose true caption scores highest. **Close confusion** is the share of the stress
task in which a close caption wins, **other error** the share in which another scene's wins; with accuracy they add
up to one. If the accuracy falls from coarse to stress by as much as close confusion rises, the close caption takes all
of the fall: so it was in the paper (91.8 % to 51.1 %, with 40.7 % close confusion).

Beside each accuracy stands what guessing gives with as many captions. Pictures of one camera are counted together.
"""
LIMITS = """
- The model card of CLIP puts surveillance out of scope, whatever the performance. A high number here is a risk that was
  measured, not a use that was approved; a low one protects nobody: a trained head on the same vectors may do better.
- Captions decide the result. The paper never published its own, so its numbers cannot be set against these as equals.
- The built-in scenes are rendered: flat, tidy, one thing in each. Footage has crowds, weather, distance and motion.
- One caption a picture is held to be true. Where several fit, what counts as an error is the table's choice.
- Near to guessing is said of this many pictures; a small ability could have been missed.
"""
