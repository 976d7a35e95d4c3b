"""The test of a map: the right quarter is blurred, and what the model answers then is told as it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_boxes import EYE, SIDE, Linear, Vit, ask, noise
from torchvision.transforms.v2.functional import gaussian_blur

from workbench.attribution import METHODS, Request
from workbench.attribution.deletion import deletion
from workbench.attribution.request import Deletion
from workbench.attribution.score import score_of

WHITE_LEFT = np.zeros((3, SIDE, SIDE), dtype=np.uint8)
WHITE_LEFT[:, :, : SIDE // 2] = 255


def _asked(pixels: np.ndarray, attribution_map: torch.Tensor, target: int = 0) -> Deletion | None:
    request = Request("occlusion", pixels, EYE, target, objective="cosine")
    picture = torch.from_numpy(pixels).float()[None] / 255
    return deletion(score_of(Linear(), request), picture, attribution_map, batch=2)


def test_the_quarters_with_the_most_and_the_least_evidence_are_blurred_by_hand() -> None:
    """Six rows of 24 are a quarter; label 2 adds up all pixels, weighted."""
    rows = torch.arange(SIDE).flip(0)[:, None].expand(SIDE, SIDE).float()  # the top most, the bottom least
    pixels, weight = noise(3), Linear().weight.detach()[2]
    picture = torch.from_numpy(pixels).float() / 255
    blurred = gaussian_blur(picture, [15, 15], [0.1 * SIDE] * 2)  # a tenth of the side, to three of it
    top, bottom = picture.clone(), picture.clone()
    top[:, :6], bottom[:, 18:] = blurred[:, :6], blurred[:, 18:]
    result = _asked(pixels, rows, 2)
    assert result is not None
    told = (result.whole, result.without_most, result.without_least)
    assert told == pytest.approx([float((one * weight).sum()) for one in (picture, top, bottom)], rel=1e-6)
    assert len({round(value, 2) for value in told}) == 3


def test_a_map_that_is_upside_down_does_not_hold() -> None:
    good = torch.zeros(SIDE, SIDE)
    good[:6, 2:12] = 1  # where label 0 looks
    good[18:] = -1
    assert (right := _asked(WHITE_LEFT, good)) is not None
    assert (wrong := _asked(WHITE_LEFT, -good)) is not None
    assert right.holds
    assert right.without_most < right.without_least == pytest.approx(right.whole)
    assert not wrong.holds
    assert (wrong.without_most, wrong.without_least) == pytest.approx((right.without_least, right.without_most))


HOLDS = {(3, 1, 2): True, (3, 2, 2): False, (1, 1, 2): False, (1, 2, 3): False, (3, 2, 1): False}


@pytest.mark.parametrize("told", HOLDS)
def test_the_quarter_with_the_most_costs_something_and_more_than_the_least(told: tuple[float, float, float]) -> None:
    assert Deletion(*told).holds is HOLDS[told]


def test_where_values_are_equal_a_quarter_is_still_a_quarter() -> None:
    """One pixel has evidence: the quarter with the least is the top one, without that pixel."""
    single = torch.zeros(SIDE, SIDE)
    single[0, 0] = 1
    result = _asked(WHITE_LEFT, single)
    assert result is not None
    assert result.without_least < result.whole  # rows 0 to 5, nearly, where label 0 looks
    assert not result.holds  # the other quarter is that pixel and the bottom


def test_a_map_that_says_nothing_is_not_tested() -> None:
    assert _asked(WHITE_LEFT, torch.full((SIDE, SIDE), 0.5)) is None


@pytest.mark.parametrize("method", [method.key for method in METHODS])
def test_every_method_is_tested_unless_one_asks_for_the_map_alone(method: str) -> None:
    box = Vit(seen=4) if method == "attention-relevance" else Linear()
    if method == "grad-cam":
        box = Vit(seen=4)
    tested, alone = (ask(box, method, noise(), objective="contrast", check=check) for check in (True, False))
    assert alone.deletion is None
    assert tested.deletion is not None
    np.testing.assert_array_equal(tested.map, alone.map)
