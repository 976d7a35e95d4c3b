"""Objectives: values by hand, the algebra on numbers, gradients, and what an objective says of itself."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from workbench.attacks import Goal
from workbench.attribution import Request
from workbench.attribution.score import score_of
from workbench.backend import Anatomy
from workbench.errors import BadInput, UnknownName
from workbench.objectives import (
    Cosine,
    Direction,
    Directional,
    Forward,
    LogOdds,
    TotalVariation,
    UnitActivation,
    image,
    text,
)

EYE = torch.eye(3)


class Box(nn.Module):
    """An embedding is the mean colour at unit length; one layer of two channels: red, and green minus blue."""

    device, dtype, dim, logit_scale, image_size = torch.device("cpu"), torch.float32, 3, 10.0, 4

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1, bias=False)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1, -1]])[:, :, None, None])
        self.conv.requires_grad_(False)
        self.anatomy = Anatomy("convolutional", {"conv": self.conv}, (4, 4))
        self.passes = 0

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        self.passes += 1
        self.conv(pixels)
        return nn.functional.normalize(pixels.mean(dim=(2, 3)), dim=1)


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def pixels() -> Tensor:
    """One image of 3, 4, 0 tenths of red, green and blue, and one that is red in a single cell, row 2 of 0..3."""
    made = torch.zeros(2, 3, 4, 4)
    made[0, 0], made[0, 1] = 0.3, 0.4
    made[1, 0, 2, 2] = 1.0
    return made


def test_likeness_to_a_text_and_to_an_image_is_the_cosine(box: Box, pixels: Tensor) -> None:
    torch.testing.assert_close(text("green", EYE[1])(box, pixels), torch.tensor([0.8, 0.0]))
    torch.testing.assert_close(image("red.png", EYE[0])(box, pixels), torch.tensor([0.6, 1.0]))


def test_log_odds_are_those_of_the_softmax(box: Box, pixels: Tensor) -> None:
    values = LogOdds(EYE, 1, 10.0)(box, pixels)
    p = torch.tensor([[6.0, 8.0, 0.0], [10.0, 0.0, 0.0]]).softmax(dim=1)[:, 1]
    torch.testing.assert_close(values, (p / (1 - p)).log(), atol=1e-4, rtol=1e-4)


def test_a_direction_is_followed_from_where_it_began(box: Box, pixels: Tensor) -> None:
    start, change = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 5.0, 0.0])  # from red, towards green
    values = Directional(start, change)(box, pixels)
    moved = torch.tensor([0.6 - 1, 0.8, 0.0])
    torch.testing.assert_close(values, torch.stack([moved[1] / moved.norm(), torch.tensor(0.0)]))


@pytest.mark.parametrize(("place", "expected"), [("mean", [0.3, 1 / 16]), ("max", [0.3, 1.0]), ("centre", [0.3, 1.0])])
def test_a_unit_fires_on_average_most_strongly_or_in_the_middle(
    box: Box, pixels: Tensor, place: str, expected: list[float]
) -> None:
    unit = UnitActivation("conv", 0, place)  # type: ignore[arg-type]
    torch.testing.assert_close(unit(box, pixels), torch.tensor(expected))
    torch.testing.assert_close(UnitActivation("last", 0, place)(box, pixels), torch.tensor(expected))  # type: ignore[arg-type]
    assert not box.conv._forward_hooks


def test_tokens_have_units_along_their_width() -> None:
    tokens = torch.arange(24.0).reshape(1, 4, 6)
    forward = Forward(torch.zeros(1, 3, 4, 4), EYE[:1], {"block": tokens})
    assert UnitActivation("block", 5).score(forward).tolist() == [5 + 6 * 1.5]
    assert UnitActivation("block", 5, "max").score(forward).tolist() == [23.0]
    vector = torch.tensor([0.0, 0, 0, 0, 0, 2])
    assert Direction("block", vector).score(forward).tolist() == [2 * (5 + 6 * 1.5)]


def test_a_direction_of_a_layer_is_a_product_and_favours_likeness_on_request(box: Box, pixels: Tensor) -> None:
    vector = torch.tensor([3.0, 4.0])
    # cells of the first image: red .3, green minus blue .4, which points the very same way
    torch.testing.assert_close(Direction("conv", vector)(box, pixels), torch.tensor([2.5, 3 / 16]))
    powered = Direction("conv", vector, power=2.0)(box, pixels)
    torch.testing.assert_close(powered, torch.tensor([2.5, 3 * 0.6**2 / 16]))


def test_total_variation_by_hand(box: Box, pixels: Tensor) -> None:
    # a single cell within: it differs from 2 neighbours above and below and 2 beside, of 3 x 3 x 4 pairs each way
    torch.testing.assert_close(TotalVariation()(box, pixels), torch.tensor([0.0, 2 / 36 + 2 / 36]))


def test_the_algebra_is_that_of_the_values_in_one_pass(box: Box, pixels: Tensor) -> None:
    red, green, rough = text("red", EYE[0]), text("green", EYE[1]), TotalVariation()
    wanted = 2 * (red - 0.5 * green) + UnitActivation("conv", 1) - rough * 3
    values = wanted(box, pixels)
    assert box.passes == 1
    parts = [one(box, pixels) for one in (red, green, UnitActivation("conv", 1), rough)]
    torch.testing.assert_close(values, 2 * parts[0] - parts[1] + parts[2] - 3 * parts[3])
    torch.testing.assert_close((-red)(box, pixels), -parts[0])
    torch.testing.assert_close(sum([red, green, rough])(box, pixels), parts[0] + parts[1] + parts[3])
    assert wanted.layers == {"conv"}


def test_an_objective_describes_itself() -> None:
    wanted = (
        text("a cat", EYE[0]) - 0.3 * text("a dog", EYE[1]) + 2 * UnitActivation("layer4", 89) - 0.1 * TotalVariation()
    )
    words = "text 'a cat' - 0.3 * text 'a dog' + 2 * unit 89 of layer4 (mean) - 0.1 * total variation"
    assert str(wanted) == words
    assert str(-wanted) == "-text 'a cat' + 0.3 * text 'a dog' - 2 * unit 89 of layer4 (mean) + 0.1 * total variation"


def test_an_objective_goes_to_another_process_without_a_model(box: Box, pixels: Tensor) -> None:
    wanted = text("red", EYE[0]) + UnitActivation("conv", 0) - Direction("conv", torch.ones(2)) - TotalVariation()
    back = pickle.loads(pickle.dumps(wanted))
    torch.testing.assert_close(back(box, pixels), wanted(box, pixels))
    assert str(back) == str(wanted)


@pytest.mark.parametrize(
    "objective",
    [
        text("red", EYE[0]),
        LogOdds(EYE, 0, 10.0),
        UnitActivation("conv", 0),
        Direction("conv", torch.ones(2), power=1.0),
        Directional(EYE[1], EYE[0] - EYE[1]),
        text("red", EYE[0]) - 0.1 * TotalVariation(),
    ],
    ids=str,
)
def test_five_steps_up_the_gradient_raise_every_objective(box: Box, objective: Cosine) -> None:
    points = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    first = float(objective(box, points))
    for _ in range(5):
        points = points.detach().requires_grad_()
        (slope,) = torch.autograd.grad(objective(box, points).sum(), points)
        points = points.detach() + 0.05 * slope / slope.norm()
    assert objective(box, points).item() > first + 1e-3


def test_what_is_not_there_is_refused(box: Box, pixels: Tensor) -> None:
    with pytest.raises(UnknownName, match="conv"):
        UnitActivation("layer9", 0)(box, pixels)
    with pytest.raises(BadInput, match="units 0 to 1; got 2"):
        UnitActivation("conv", 2)(box, pixels)
    with pytest.raises(BadInput, match="2 units"):
        Direction("conv", torch.ones(3))(box, pixels)
    with pytest.raises(BadInput, match="length 1"):
        text("twice", 2 * EYE[0])
    with pytest.raises(BadInput, match="length 1"):
        text("broken", EYE[0] * torch.nan)


@pytest.mark.parametrize("name", ["contrast", "cosine"])
def test_attributions_score_is_the_old_formula_to_the_bit(pocket: object, name: str) -> None:
    generator = torch.Generator().manual_seed(4)
    rows = nn.functional.normalize(torch.randn(5, 384, generator=generator), dim=1)
    pixels = torch.rand(3, 3, pocket.image_size, pocket.image_size, generator=generator)  # type: ignore[attr-defined]
    request = Request("occlusion", np.zeros((3, 8, 8), np.uint8), rows.numpy(), 2, name)  # type: ignore[arg-type]
    with torch.no_grad():
        cosines = pocket.embed_pixels(pixels).float() @ rows.T  # type: ignore[attr-defined]
        expected = cosines[:, 2]
        if name == "contrast":
            others, scale = torch.arange(5) != 2, pocket.logit_scale  # type: ignore[attr-defined]
            expected = scale * expected - (scale * cosines[:, others]).logsumexp(dim=1)
        assert torch.equal(score_of(pocket, request)(pixels), expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("loss", ["ce", "dlr"])
def test_an_attackers_goal_is_an_objective_to_the_bit(box: Box, pixels: Tensor, loss: str) -> None:
    weights = EYE.expand(2, 3, 3)
    goal = Goal(weights, torch.tensor([1, 0]), loss, 30.0)  # type: ignore[arg-type]
    values, active, gradients = goal.look(box, pixels, torch.arange(2))  # type: ignore[arg-type]
    assert torch.equal(goal(box, pixels), values)
    cosines = torch.einsum("md,mkd->mk", box.embed_pixels(pixels), weights)
    if loss == "ce":
        assert torch.equal(values, nn.functional.cross_entropy(30 * cosines, goal.truth, reduction="none"))
    assert active.tolist() == [True, True]
    assert gradients.shape == pixels.shape
    assert str(goal).endswith("of the true label among 3")
