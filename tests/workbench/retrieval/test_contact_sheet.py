"""A contact sheet: size by hand, each picture in its place, lines that are too long, and refusals."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from workbench.errors import BadInput
from workbench.retrieval.contact_sheet import CELL, LINE, contact_sheet


def square(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (CELL, CELL), colour).save(buffer, "PNG")
    return buffer.getvalue()


def test_pictures_stand_row_by_row() -> None:
    sheet = contact_sheet([square("red")] * 7 + [square("blue")], ["a line that is much too long " * 9] * 8)
    with Image.open(io.BytesIO(sheet)) as opened:
        pixels = np.asarray(opened.convert("RGB")).astype(int)
    assert pixels.shape == (2 * (CELL + LINE + 10) + 10, 6 * (CELL + 10) + 10, 3)
    second_row = CELL + LINE + 10 + 10 + CELL // 2
    assert pixels[second_row, 10 + CELL // 2, 1] < 60  # the seventh, red
    assert pixels[second_row, 20 + CELL + CELL // 2, 0] < 60  # the eighth, blue
    assert pixels[second_row, 30 + 2 * CELL + CELL // 2].min() > 240  # nothing
    gap = pixels[12 + CELL : 8 + CELL + LINE, 10 + CELL + 2 : 10 + CELL + 8]
    assert gap.min() > 200  # a long line ends before the next one


@pytest.mark.parametrize(("count", "lines"), [(0, 0), (241, 241), (2, 1)])
def test_refusals(count: int, lines: int) -> None:
    with pytest.raises(BadInput, match="contact sheet"):
        contact_sheet([square("red")] * count, ["x"] * lines)
