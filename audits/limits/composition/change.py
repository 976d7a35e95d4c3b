"""Cut the part of an image that its captions are about, as ARO does."""

from __future__ import annotations

import json

from PIL import Image

from audits.contracts import Item


def change(picture: Image.Image, item: Item) -> Image.Image:
    """Return the part within the recipe's box: left, top, width and height in pixels."""
    left, top, width, height = json.loads(item.recipe)
    return picture.crop((left, top, left + max(1, width), top + max(1, height)))
