"""The catalogue of checkpoints, as data: one row a model, each value published by those who made it.

What is not known is None: nothing is guessed.
`sha256` stands in a row only for what is shipped; for the others it is recorded at the first download
and enforced from then on. Other packages add rows and families through entry points: see `workbench.plugins`.
"""

from __future__ import annotations

from workbench.checkpoints.families import ModelFamily
from workbench.checkpoints.spec import ModelSpec
from workbench.plugins import Table

MODELS: Table[ModelSpec | ModelFamily] = Table(
    "models",
    (ModelSpec, ModelFamily),
    (
        "workbench.checkpoints.shipped:POCKET",
        "workbench.checkpoints.shipped:POCKET_LITE2",
        "workbench.checkpoints.openai:TRANSFORMERS",
        "workbench.checkpoints.openai:RESNETS",
        "workbench.checkpoints.others:OTHERS",
        "workbench.checkpoints.recent:RECENT",
        "workbench.checkpoints.shipped:FAKE",
        "workbench.checkpoints.families:FAMILIES",
    ),
)


def checkpoints() -> tuple[ModelSpec, ...]:
    """Return the rows of all models, the built-in ones first."""
    return tuple(row for row in MODELS.values() if isinstance(row, ModelSpec))
