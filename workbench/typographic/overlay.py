"""Overlays of an audit: a plate with a word, an empty plate, or the marks that the fake model reads.

An overlay is a recipe of few named choices; `writing` draws it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from PIL import Image

Ink = Literal["letters", "marks"]
Kind = Literal["word", "nonsense", "blank"]
COLOURS: Mapping[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {  # name -> letters, plate
    "black on white": ((0, 0, 0), (255, 255, 255)),
    "white on black": ((255, 255, 255), (0, 0, 0)),
    "red on white": ((200, 0, 0), (255, 255, 255)),
    "grey on white": ((190, 190, 190), (255, 255, 255)),
    "grey on grey": ((150, 150, 150), (120, 120, 120)),
}
POSITIONS: Mapping[str, tuple[float, float]] = {  # name -> of the plate's free way: from the left, from the top
    "top": (0.5, 0.04),
    "centre": (0.5, 0.5),
    "bottom": (0.5, 0.96),
    "upper left": (0.04, 0.04),
    "upper right": (0.96, 0.04),
    "lower left": (0.04, 0.96),
    "lower right": (0.96, 0.96),
}
_BLANK_MARKS = (128, 128, 128)  # what covers the strip of marks


@dataclass(frozen=True)
class Overlay:
    """Everything that decides what is drawn."""

    ink: Ink
    kind: Kind
    text: str  # decides the size of a blank plate, too
    size: float = 0.0  # height of the letters, share of the square's side
    position: str = ""
    colour: str = ""
    opacity: float = 1.0  # of plate and letters, 0..1

    @property
    def recipe(self) -> str:
        """Canonical JSON; an opaque overlay does not mention its opacity."""
        parts = asdict(self)
        if self.opacity == 1:
            del parts["opacity"]
        return json.dumps(parts, sort_keys=True, ensure_ascii=True)

    @property
    def look(self) -> str:
        """Colour, and opacity where it is not opaque."""
        return self.colour if self.opacity == 1 else f"{self.colour}, {100 * self.opacity:g} % opaque"


def parse(recipe: str) -> Overlay:
    """Return the overlay of a recipe."""
    return Overlay(**json.loads(recipe))


def draw(picture: Image.Image, overlay: Overlay) -> Image.Image:
    """Return a copy of an upright RGB image with the overlay on its centre square."""
    return _marks(picture, overlay) if overlay.ink == "marks" else _letters(picture, overlay)


def _marks(picture: Image.Image, overlay: Overlay) -> Image.Image:
    from workbench.fake import CELL, SIDE, write

    if overlay.kind != "blank":
        return write(picture, overlay.text)
    covered = picture.copy()
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    covered.paste(_BLANK_MARKS, (left, top + round(side * (SIDE - 2 * CELL) / SIDE), left + side, top + side))
    return covered


def _letters(picture: Image.Image, overlay: Overlay) -> Image.Image:
    from workbench.typographic.lettering import Label, flat

    side = min(picture.size)
    ink, paper = ("#{:02x}{:02x}{:02x}".format(*colour) for colour in COLOURS[overlay.colour])
    label = Label(overlay.text, size=overlay.size, ink=ink, paper=paper)
    plate = flat(label, side, blank=overlay.kind == "blank").convert("RGB")
    plate.putalpha(round(255 * overlay.opacity))
    from_left, from_top = POSITIONS[overlay.position]
    x = (picture.width - side) // 2 + round(from_left * max(0, side - plate.width + 1))
    y = (picture.height - side) // 2 + round(from_top * max(0, side - plate.height + 1))
    drawn = picture.copy()
    drawn.paste(plate, (x, y), plate)
    return drawn
