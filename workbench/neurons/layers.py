"""Names of layers and numbers of units, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import BadInput, Unsupported

if TYPE_CHECKING:
    from workbench.backend import Anatomy


def layer_name(anatomy: Anatomy, layer: str) -> str:
    """Return the name of a layer; "last" is the one nearest to the output.

    Raises:
        Unsupported: the tower has no layers to look at.
        UnknownName: it has no layer of that name.
    """
    if not anatomy.layers:
        raise Unsupported("This model's image tower has no layers to look into.")
    anatomy.pick([layer])
    return next(reversed(anatomy.layers)) if layer == "last" else layer


def is_last(anatomy: Anatomy, layer: str) -> bool:
    """Say whether a layer is the one that the exact decomposition is about."""
    return anatomy.head is not None and layer == next(reversed(anatomy.layers))


def check_unit(unit: int, width: int, layer: str) -> None:
    """Refuse a unit that a layer does not have.

    Raises:
        BadInput: below 0 or too high.
    """
    if not 0 <= unit < width:
        raise BadInput(f"Layer {layer} has the units 0 to {width - 1}; got {unit}.")
