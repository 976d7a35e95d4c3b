"""What a view needs of a model, and why a model lacks it; read from the catalogue, without loading anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.checkpoints.spec import ModelSpec
from workbench.models import find

_CONVOLUTIONAL = (
    "RN",
    "convnext",
    "EfficientNet",
    "pocket",
    "MobileCLIP-S",
    "MobileCLIP2-S",
)  # beginnings of architecture names


def _gradients(spec: ModelSpec) -> str:
    return "it has no weights, so there are no gradients" if spec.loader == "fake" else ""


def _convolutional(spec: ModelSpec) -> str:
    convolutional = (spec.architecture or spec.key).startswith(_CONVOLUTIONAL)
    unknown = spec.folder is not None and not convolutional  # a local folder: known only when it is loaded
    return "" if convolutional or unknown else "its image tower is a transformer, not convolutional"


REQUIREMENTS: dict[str, Callable[[ModelSpec], str]] = {  # key -> why a model lacks it; "" where it has it
    "gradients": _gradients,
    "text gradients": _gradients,
    "convolutional tower": _convolutional,
}


def lacking(model: str, needs: Sequence[str]) -> str:
    """Say in one clause what a model lacks of the needs; "" where it has them all.

    Raises:
        UnknownName: no such model.
    """
    return "; ".join(dict.fromkeys(reason for need in needs if (reason := REQUIREMENTS[need](find(model)))))
