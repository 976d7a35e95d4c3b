"""Colours and words of a map, on maps whose answer is plain."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PIL import Image

from workbench.attribution.heatmap import legend, ninths, overlay, summary
from workbench.errors import BadInput, WorkbenchError


def _map() -> np.ndarray:
    values = np.zeros((9, 9), dtype=np.float32)
    values[0:3, 6:9] = 3  # top right
    values[6:9, 0:3] = 1  # bottom left
    values[3:6, 3:6] = -4  # centre
    return values


def test_ninths_add_up_and_keep_their_places() -> None:
    np.testing.assert_allclose(ninths(_map()), [[0, 0, 0.75], [0, 0, 0], [0.25, 0, 0]])
    assert ninths(np.random.default_rng(0).random((224, 224), dtype=np.float32)).sum() == pytest.approx(1)
    assert np.isnan(ninths(-np.ones((9, 9), np.float32))).all()


def test_the_summary_says_where_and_what_stands_against() -> None:
    message = summary(_map())
    assert message.startswith("Most evidence for the label: 75 % top right, then 25 % bottom left.")
    assert "top 0 %, 0 %, 75 %; middle 0 %, 0 %, 0 %; bottom 25 %, 0 %, 0 %" in message
    assert "50 % speaks against" in message
    assert "no evidence" in summary(np.zeros((9, 9), np.float32))


def test_opacity_goes_from_the_picture_to_the_map() -> None:
    square = Image.new("RGB", (9, 9), (10, 20, 30))
    assert overlay(square, _map(), 0, signed=True).tobytes() == square.tobytes()
    whole = np.asarray(overlay(square, _map(), 1, signed=False)).astype(int)
    half = np.asarray(overlay(square, _map(), 0.5, signed=False)).astype(int)
    assert np.abs(half - (whole + np.array([10, 20, 30])) / 2).max() <= 1
    assert whole[1, 7, 0] > 200 > whole[4, 4, 0]  # yellow where the evidence is, dark blue elsewhere
    assert whole[1, 7, 2] < whole[1, 7, 0]


def test_signs_have_their_colours() -> None:
    whole = np.asarray(overlay(Image.new("RGB", (9, 9)), _map(), 1, signed=True)).astype(int)
    red, _, blue = whole[1, 7]
    assert blue > red  # purple: for
    red, _, blue = whole[4, 4]
    assert red > blue  # orange: against
    assert whole[0, 0].min() > 230  # white: nothing
    assert "Purple" in legend(signed=True)
    assert "Yellow" in legend(signed=False)


@pytest.mark.parametrize("side", [224, 336])
def test_a_slider_s_move_is_quick(side: int) -> None:
    square = Image.new("RGB", (side, side))
    values = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
    overlay(square, values, 0.5, signed=True)
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        overlay(square, values, 0.5, signed=True)
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.03


def test_maps_that_do_not_fit_are_refused() -> None:
    square = Image.new("RGB", (9, 9))
    with pytest.raises(BadInput, match="same size"):
        overlay(Image.new("RGB", (8, 9)), _map(), 0.5, signed=True)
    with pytest.raises(BadInput, match="opacity"):
        overlay(square, _map(), 1.5, signed=True)
    with pytest.raises(BadInput, match="rows and columns"):
        summary(np.zeros(9, np.float32))
    with pytest.raises(WorkbenchError, match="NaN"):
        overlay(square, _map() * np.float32("nan"), 0.5, signed=True)
    assert overlay(square, _map() * 0, 0.5, signed=True).tobytes() == square.tobytes()
