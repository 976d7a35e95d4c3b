"""Pictures to write on: the shipped ones, a drawn poodle and a blank card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import unknown_name
from workbench.pictures import SAMPLES, draw, sample

if TYPE_CHECKING:
    from PIL import Image

POODLE, CARD = "drawn-poodle", "card"
EXAMPLES = (*(row.key for row in SAMPLES), POODLE, CARD)
CARD_SIDE = 448  # pixels


def example(key: str) -> Image.Image:
    """Return a picture, upright 8-bit RGB.

    Raises:
        UnknownName: no picture has that key.
    """
    if key == POODLE:
        return draw("\N{POODLE}")
    if key == CARD:
        from PIL import Image

        return Image.new("RGB", (CARD_SIDE, CARD_SIDE), "white")
    if key not in EXAMPLES:
        raise unknown_name("picture to write on", key, EXAMPLES)
    return sample(key)
