"""Write on an image what an item's recipe says."""

from __future__ import annotations

from PIL import Image

from audits.contracts import Item
from workbench.typographic.overlay import draw, parse


def change(picture: Image.Image, item: Item) -> Image.Image:
    """Return the image with the overlay of an item's recipe."""
    return draw(picture, parse(item.recipe))
