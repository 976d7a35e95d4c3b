"""The table of canvases. A canvas's row stands in its own module; other packages add rows: see `workbench.plugins`."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.errors import BadInput
from workbench.plugins import Table

OTHER_METHODS = ("prior", "diffusion", "latents")  # ways to generate that are no canvas of this table


@dataclass(frozen=True)
class CanvasKind:
    """One canvas as a method of generating.

    Raises:
        BadInput: a key that another method has.
    """

    key: str  # what the setting `method` says
    title: str  # "Name: what it is"
    make: str  # "module:function" (settings, *, held, whole) -> Canvas, see `canvases.make_canvas`
    editable: bool = False  # the canvas has `start_from` and can begin with an image
    for_units: str = ""  # "module:function" (side) -> Canvas for feature visualisation; empty: not offered there

    def __post_init__(self) -> None:
        if self.key in OTHER_METHODS:
            raise BadInput(f"The method {self.key!r} is no canvas; choose another key.")


CANVASES: Table[CanvasKind] = Table(
    "canvases",
    CanvasKind,
    (
        "workbench.generation.canvases.fourier:FOURIER",
        "workbench.generation.canvases.strokes:STROKES",
        "workbench.generation.canvases.maco:MACO",
        "workbench.generation.canvases.siren:SIREN",
        "workbench.generation.canvases.plain:PIXELS",
    ),
)


def canvases_for_units() -> dict[str, CanvasKind]:
    """Return the canvases that feature visualisation can paint on."""
    return {key: row for key, row in CANVASES.items() if row.for_units}
