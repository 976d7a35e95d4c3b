"""A label stands where it should, turned as it should, covers what is said, and refuses what cannot be written."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workbench.errors import BadInput, UnknownName
from workbench.typographic.lettering import FONTS, Label, missing
from workbench.typographic.overlay import COLOURS, POSITIONS, Overlay, draw
from workbench.typographic.writing import LETTERS, checked, corners, covered, write

GROUND = (90, 120, 30)


def changed(label: Label, size: tuple[int, int] = (300, 200)) -> np.ndarray:
    ground = Image.new("RGB", size, GROUND)
    return (np.asarray(write(ground, [label])) != np.asarray(ground)).any(axis=2)


def test_the_audits_overlays_are_those_of_before_to_the_bit() -> None:
    """The sum was taken from the code that the audit had of its own."""
    rng, digest = np.random.default_rng(3), hashlib.sha256()
    for shape in ((90, 120), (256, 256), (333, 200)):
        picture = Image.fromarray(rng.integers(0, 256, (*shape, 3)).astype(np.uint8))
        for text in ("cat", "hippopotamuses", "Ångström (jÿ)"):
            for size, position, colour, kind in itertools.product(
                (0.03, 0.14, 0.3), POSITIONS, COLOURS, ("word", "blank")
            ):
                overlay = Overlay("letters", kind, text, size, position, colour)  # type: ignore[arg-type]
                digest.update(draw(picture, overlay).tobytes())
        for kind in ("word", "blank"):
            digest.update(draw(picture, Overlay("marks", kind, "red")).tobytes())  # type: ignore[arg-type]
    assert digest.hexdigest() == "e92d246c992cbe4cbc44202743189ca1821e03335aef52d52e2eec9819a88378"


@pytest.mark.parametrize("font", FONTS)
def test_the_middle_is_where_it_was_asked_for(font: str) -> None:
    rows, columns = np.nonzero(changed(Label("cat", x=0.25, y=0.5, font=font)))
    assert abs((columns.min() + columns.max()) / 2 - (50 + 0.25 * 200)) <= 1
    assert abs((rows.min() + rows.max()) / 2 - 100) <= 1


def test_cover_is_the_share_of_changed_pixels() -> None:
    for label in (Label("cat"), Label("cat", angle=30), Label("cat", x=0.0), Label("cat", paper="", ink="#ff0000")):
        assert covered((300, 200), [label]) == pytest.approx(changed(label).mean(), abs=0.002)
    assert covered((300, 200), [Label("cat"), Label("cat")]) == covered((300, 200), [Label("cat")])


def test_a_quarter_turn_swaps_width_and_height_counter_clockwise() -> None:
    flat, turned = (changed(Label("catapult", y=0.5, angle=angle), (300, 300)) for angle in (0, 90))
    wide, high = (np.ptp(axis) for axis in np.nonzero(flat)[::-1])
    turned_high, turned_wide = (np.ptp(axis) for axis in np.nonzero(turned))
    assert (turned_wide, turned_high) == pytest.approx((high, wide), abs=3)
    upper_left = corners((300, 300), Label("catapult", y=0.5, angle=90))[0]
    assert upper_left[1] > 150  # what was the upper left corner is now below
    dot = np.asarray(write(Image.new("RGB", (300, 300), GROUND), [Label("i.......", y=0.5, angle=90)]))
    black = (dot < 60).all(axis=2)
    assert black[:150].sum() < black[150:].sum()  # the heavy letter comes first: at the foot


def test_a_tilted_label_is_lower_on_the_far_side() -> None:
    mask = changed(Label("cat cat", y=0.5, tilt=0.8), (300, 300))
    columns = np.nonzero(mask.any(axis=0))[0]
    left, right = (mask[:, columns[at]].sum() for at in (4, -5))
    assert right < 0.8 * left
    assert np.array_equal(changed(Label("cat", tilt=0)), changed(Label("cat")))


def test_opacity_blends_and_bare_letters_have_no_paper() -> None:
    ground = Image.new("RGB", (200, 200), (0, 0, 0))
    half = np.asarray(write(ground, [Label("I", opacity=0.5, y=0.5)]))
    assert half.max() == pytest.approx(127.5, abs=1)
    assert changed(Label("cat", paper="", ink="#ff0000")).sum() < 0.6 * changed(Label("cat")).sum()
    assert not changed(Label("cat", opacity=0)).any()


def test_a_sticker_has_round_corners() -> None:
    paper, sticker = (changed(Label("cat", form=form)) for form in ("paper", "sticker"))
    assert sticker.sum() < paper.sum()
    assert (sticker & ~paper).sum() == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"text": ""}, "Type a word"),
        ({"text": " \n\t\u202e"}, "Type a word"),
        ({"text": "a" * 10_000}, f"at most {LETTERS} letters; got 10,000"),
        ({"size": 2.0}, "size"),
        ({"size": float("nan")}, "size"),
        ({"opacity": -0.1}, "opacity"),
        ({"x": 9.0}, "x of a label"),
        ({"ink": "no colour"}, "ink"),
        ({"form": "poster"}, "poster"),
    ],
)
def test_what_cannot_be_written_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        checked(replace(Label("cat"), **change))


def test_an_unknown_font_is_refused_and_absent_letters_are_named() -> None:
    with pytest.raises(UnknownName, match="font"):
        checked(Label("cat", font="wingdings"))
    assert missing(Label("ca\N{SLICE OF PIZZA}t", font="handwriting")) == "\N{SLICE OF PIZZA}"


@pytest.mark.parametrize("text", ["<b>x</b>", "שלום", "مرحبا", "\N{SLICE OF PIZZA}", "a\nb", "\u202eabc", "日本"])
def test_hostile_words_are_drawn_as_one_line(text: str) -> None:
    assert changed(Label(text)).any()
    assert "\n" not in checked(Label(text)).text
    assert "\u202e" not in checked(Label(text)).text
