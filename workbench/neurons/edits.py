"""An edited model in which some units are off, held at a value, or moved by one: for every view, audit and command.

The base's weights stay as they are; the change happens inside each pass of the image tower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.checkpoints.edit import Edit
from workbench.errors import BadInput, Unsupported
from workbench.hooks import Intervention, hooked

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.loading.torch_backend import TorchBackend, TowerParts

KIND = "units"


def units_edit(base: str, layer: str, changes: Sequence[Intervention]) -> Edit:
    """Describe an edited model; `checkpoints.edit.write_edit` writes it.

    Args:
        base: a key of the catalogue, or a folder.
        layer: a name in the anatomy's layers.
        changes: what is done to which units of the layer.
    """
    rows = [{"units": list(one.units), "kind": one.kind, "value": one.value} for one in changes]
    numbers = [unit for one in changes for unit in one.units]
    shown = ", ".join(map(str, numbers[:6])) + ("…" if len(numbers) > 6 else "")
    title = f"units {shown} of {layer} changed"
    return Edit(base=base, kind=KIND, settings={"layer": layer, "changes": rows}, title=title)


def change_units(base: TorchBackend, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TowerParts:
    """Return towers whose image half changes units in each pass.

    Args:
        base: the model.
        settings: `layer`, and `changes`: rows of `units` (numbers), `kind` ("set" or "add") and `value` (a number).
        tensors: none.

    Raises:
        Unsupported: the image tower has no layers.
        BadInput: settings that are none of these, or a unit that the layer does not have (in the first pass).
        UnknownName: no such layer.
    """
    if not base.anatomy.layers:
        raise Unsupported(f"{base.spec.title} has no layers in its image tower, so no unit can be changed.")
    layer, changes = _read(settings)
    module = base.anatomy.pick([layer])[layer]
    pairs = [(module, one) for one in changes]

    return base.towers.inside(lambda: hooked(pairs))


def _read(settings: Mapping[str, Any]) -> tuple[str, list[Intervention]]:
    layer, rows = settings.get("layer"), settings.get("changes")
    try:
        if not isinstance(layer, str) or not rows:
            raise ValueError
        changes = [
            Intervention(layer, tuple(int(unit) for unit in row["units"]), row["kind"], float(row["value"]))
            for row in rows
        ]
        if not all(one.units and one.kind in ("set", "add") for one in changes):
            raise ValueError
    except (TypeError, ValueError, KeyError):
        raise BadInput(
            "An edit of units names a `layer` and `changes`, each with `units`, `kind` (set or add) and `value`; "
            f"got {str(dict(settings))[:200]}."
        ) from None
    return layer, changes
