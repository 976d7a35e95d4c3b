"""What is written stands where it should, as large as it should, and is all that changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from workbench.typographic.overlay import COLOURS, Overlay, draw, parse


def changed(overlay: Overlay, size: tuple[int, int] = (300, 200)) -> tuple[np.ndarray, np.ndarray]:
    """Return (rows, columns) of the pixels that an overlay changes on grey-green."""
    ground = Image.new("RGB", size, (90, 120, 30))
    drawn = draw(ground, overlay)
    assert ground.getcolors() == [(size[0] * size[1], (90, 120, 30))]  # the given picture is left alone
    return np.nonzero((np.asarray(drawn) != np.asarray(ground)).any(axis=2))


def test_a_recipe_gives_back_its_overlay() -> None:
    overlay = Overlay("letters", "word", "café", 0.14, "bottom", "black on white")
    assert parse(overlay.recipe) == overlay
    assert overlay.recipe.isascii()
    assert "opacity" not in overlay.recipe  # recipes written before opacity existed stay the same
    veiled = replace(overlay, opacity=0.25)
    assert parse(veiled.recipe) == veiled
    assert (overlay.look, veiled.look) == ("black on white", "black on white, 25 % opaque")


def test_a_veiled_plate_is_a_mixture_of_plate_and_picture() -> None:
    ground = Image.new("RGB", (300, 200), (90, 120, 30))
    blank = Overlay("letters", "blank", "word", 0.2, "centre", "black on white", 0.5)
    middle = draw(ground, blank).getpixel((150, 100))
    assert middle == pytest.approx([(90 + 255) / 2, (120 + 255) / 2, (30 + 255) / 2], abs=1)


@pytest.mark.parametrize(
    ("position", "rows", "columns"),
    [
        ("top", (0, 60), (100, 200)),
        ("bottom", (140, 200), (100, 200)),
        ("centre", (70, 130), (100, 200)),
        ("upper left", (0, 60), (50, 160)),
        ("lower right", (140, 200), (140, 250)),
    ],
)
def test_the_plate_lies_where_it_should_on_the_centre_square(
    position: str, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    down, across = changed(Overlay("letters", "word", "cat", 0.14, position, "black on white"))
    assert rows[0] <= down.min() < down.max() <= rows[1]
    assert columns[0] <= across.min() < across.max() <= columns[1]


def test_larger_letters_cover_more_and_a_long_word_still_fits() -> None:
    small, large = (changed(Overlay("letters", "word", "cat", size, "top", "black on white")) for size in (0.08, 0.2))
    assert len(large[0]) > 3 * len(small[0])
    _, across = changed(Overlay("letters", "word", "hippopotamuses", 0.3, "centre", "black on white"))
    assert across.min() >= 50  # of the centre square of 300 x 200
    assert across.max() <= 250


def test_a_blank_plate_covers_the_same_pixels_and_says_nothing() -> None:
    word = Overlay("letters", "word", "cat", 0.14, "bottom", "black on white")
    blank = Overlay("letters", "blank", "cat", 0.14, "bottom", "black on white")
    assert [list(axis) for axis in changed(word)] == [list(axis) for axis in changed(blank)]
    ground = Image.new("RGB", (200, 200), (90, 120, 30))
    assert {colour for _, colour in draw(ground, blank).getcolors()} == {(90, 120, 30), COLOURS["black on white"][1]}
    assert draw(ground, word).getpixel((0, 0)) == (90, 120, 30)


def test_marks_are_the_fake_models_own() -> None:
    from workbench.fake import write

    ground = Image.new("RGB", (120, 90), (90, 120, 30))
    assert draw(ground, Overlay("marks", "word", "red")).tobytes() == write(ground, "red").tobytes()
    blank = np.asarray(draw(ground, Overlay("marks", "blank", "red")))
    assert (blank[81:, 15:105] == 128).all()  # the strip of the centre square, 90 x 90
    assert (blank[:81] == (90, 120, 30)).all()
