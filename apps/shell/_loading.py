"""Load the model that a command names, and say on stderr who answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.cli.output import say
from workbench.models import find

if TYPE_CHECKING:
    from workbench.model import Model


def load_and_say(model: str, device: str, dtype: str) -> Model:
    """Load a model; a mistyped name is refused before anything heavy is imported."""
    spec = find(model)
    from workbench.surface import load

    say(f"{spec.title}, trained on {spec.trained_on or 'data that is not known here'}.")
    return load(model, device=device, dtype=dtype)
