"""The first frame of slow motion: drawings and captions of the batch on their way through the two towers."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from workbench.results.html import data_uri
from workbench.training.race.results import SlowMotion

VECTOR_HEADERS = ["input", "tower", "vector: first five of 64 numbers"]
IMAGE_STEPS = (
    "Four convolutions turn each drawing into 4 × 4 cells of 64 channels (shown: their mean). Mean and maximum over "
    "the cells are projected and scaled to length 1."
)
TEXT_STEPS = (
    "A transformer turns each word into 64 numbers, one row a word. Their mean is projected and scaled to length 1."
)
COLOURS = "Red numbers are negative, blue ones positive. Row by row: are the vectors of a true pair alike?"
_TEMPLATE = Path(__file__).with_name("tower.svg.j2")


def towers_markdown(motion: SlowMotion) -> str:
    """Return two pictures: each input, what its tower makes of it inside, and its unit vector."""
    vectors, words = np.abs([motion.image_rows, motion.text_rows]).max(), np.abs(motion.words).max()
    images = [
        {"image": data_uri(drawing.render(64)), "inside": _colours(cells, "cividis"), "vector": _signed(row / vectors)}
        for drawing, cells, row in zip(motion.drawings, motion.cells, motion.image_rows, strict=True)
    ]
    texts = [
        {"words": text.split(), "inside": _signed(rows / words), "vector": _signed(row / vectors)}
        for text, rows, row in zip(motion.texts, motion.words, motion.text_rows, strict=True)
    ]
    names = ", ".join(motion.texts)
    image_alt = f"Drawings of {names} enter the image tower; each leaves as 16 cells, then as a strip of 64 numbers"
    text_alt = f"The captions {names} enter the text tower; each leaves as four rows, then as a strip of 64 numbers"
    return "\n".join(
        [
            "<div class='towers'>",
            _figure(IMAGE_STEPS, _drawn("image tower", images, "16 cells", image_alt)),
            _figure(TEXT_STEPS, _drawn("text tower", texts, "4 words", text_alt)),
            f"</div>\n\n{COLOURS}",
        ]
    )


def vector_rows(motion: SlowMotion) -> list[list[str]]:
    """Return one row for each input of a tower, with the beginning of its vector."""
    return [
        [text, tower, " ".join(f"{value:+.2f}" for value in row[:5])]
        for tower, rows in (("image", motion.image_rows), ("text", motion.text_rows))
        for text, row in zip(motion.texts, rows, strict=True)
    ]


def _figure(caption: str, image: str) -> str:
    return f"<figure><figcaption>{caption}</figcaption>{image}</figure>"


def _drawn(name: str, rows: list[dict[str, Any]], inside: str, alt: str) -> str:
    """Return an SVG as an image with alt text: Markdown would strip the description of an inline one."""
    from jinja2 import Environment

    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_TEMPLATE.read_text())
    drawn = template.render(name=name, rows=rows, inside=inside)
    picture = "data:image/svg+xml;base64," + base64.b64encode(drawn.encode()).decode()
    return f'<img alt="{escape(alt)}" src="{picture}">'


def _signed(values: np.ndarray) -> str:
    """Colour numbers from red (-1) over white (0) to blue (1)."""
    return _colours(np.atleast_2d(values), "RdBu", low=-1, high=1)


def _colours(values: np.ndarray, name: str, *, low: float | None = None, high: float | None = None) -> str:
    from matplotlib import colormaps
    from matplotlib.colors import Normalize

    return data_uri(Image.fromarray(colormaps[name](Normalize(low, high)(values), bytes=True)[..., :3]))
