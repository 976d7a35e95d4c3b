"""The catalogue of checkpoints, as data: one row a model, each value published by those who made it.

What is not known is None: nothing is guessed.
`sha256` stands in a row only for what is shipped; for the others it is recorded at the first download
and enforced from then on.
"""

from __future__ import annotations

from workbench.checkpoints.openai import RESNETS, TRANSFORMERS
from workbench.checkpoints.others import OTHERS
from workbench.checkpoints.shipped import FAKE, POCKET, POCKET_LITE2
from workbench.checkpoints.spec import ModelSpec

CHECKPOINTS: tuple[ModelSpec, ...] = (POCKET, POCKET_LITE2, *TRANSFORMERS, *RESNETS, *OTHERS, FAKE)
