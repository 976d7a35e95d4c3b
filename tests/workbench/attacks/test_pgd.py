"""Attacks: exact where the model is a line, as strong as the reference implementation where it is not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from workbench.attacks.goals import Goal, ratio
from workbench.attacks.norms import Ball
from workbench.attacks.pgd import apgd, checkpoints, pgd

SIDE = 8


class Line:
    """Two directions: how bright a picture is, and how dark; half grey lies between."""

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        mean = pixels.flatten(1).mean(dim=1)
        return nn.functional.normalize(torch.stack([mean, 1 - mean], dim=1), dim=1)


class Bent(nn.Module):
    """A small network with random weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Tanh(), nn.Flatten(), nn.Linear(8 * 36, 6))

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        return nn.functional.normalize(self.layers(pixels), dim=1)


def greys(count: int) -> Tensor:
    """Pictures of the values 128, 129, … of 255: (at + 0.5) / 255 above half grey, taken for bright."""
    return torch.arange(128, 128 + count).float()[:, None, None, None].expand(count, 3, SIDE, SIDE) / 255


def goal(n: int, classes: int = 2, *, loss: str = "ce", dim: int = 2, scale: float = 30.0) -> Goal:
    weights = torch.eye(dim)[:classes].expand(n, classes, dim)
    return Goal(weights, torch.zeros(n, dtype=torch.long), loss, scale)  # type: ignore[arg-type]


def noise(pixels: Tensor, seed: int = 0) -> Tensor:
    return torch.rand(pixels.shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("attack", [pgd, apgd])
@pytest.mark.parametrize("loss", ["ce", "dlr"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_on_a_line_a_picture_falls_when_the_ball_reaches_over_it(attack, loss: str, norm: str) -> None:  # type: ignore[no-untyped-def]
    pixels = greys(8)
    reach = 4 / 255  # of the mean
    ball = Ball(norm, reach if norm == "linf" else reach * (3 * SIDE * SIDE) ** 0.5)  # type: ignore[arg-type]
    changed = attack(Line(), pixels, goal(8, loss=loss), ball=ball, steps=20, noise=noise(pixels))
    mean = changed.flatten(1).mean(dim=1)
    assert (mean < 0.5).tolist() == [True] * 4 + [False] * 4  # 0.5, 1.5, 2.5, 3.5 of 255 away; then 4.5 and more
    assert ball.size(changed - pixels).max() <= ball.radius * (1 + 1e-5)
    assert 0 <= changed.min() <= changed.max() <= 1


@pytest.mark.parametrize("attack", [pgd, apgd])
def test_who_is_wrong_already_or_has_no_slope_is_left_alone(attack) -> None:  # type: ignore[no-untyped-def]
    class Flat:
        def embed_pixels(self, pixels: Tensor) -> Tensor:
            return nn.functional.normalize(pixels.flatten(1)[:, :2] * 0 + torch.tensor([1.0, 0.5]), dim=1)

    dark = 1 - greys(3)
    ball = Ball("linf", 8 / 255)
    assert torch.equal(attack(Line(), dark, goal(3), ball=ball, steps=5, noise=noise(dark)), dark)
    assert torch.equal(attack(Flat(), greys(3), goal(3), ball=ball, steps=5, noise=noise(dark)), greys(3))


@pytest.mark.parametrize(("norm", "radius"), [("linf", 6 / 255), ("l2", 0.3)])
def test_apgd_finds_what_the_reference_finds(norm: str, radius: float) -> None:
    from pyautoattack.autopgd_base import APGDAttack

    box, n = Bent().eval(), 60
    pixels = torch.rand((n, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        truth = box.embed_pixels(pixels).argmax(dim=1)
    ours = Goal(torch.eye(6).expand(n, 6, 6), truth, "ce", 10.0)
    changed = apgd(box, pixels, ours, ball=Ball(norm, radius), steps=20, noise=noise(pixels))  # type: ignore[arg-type]
    theirs = APGDAttack(
        lambda x: box.embed_pixels(x) * 10, n_iter=20, norm={"linf": "Linf", "l2": "L2"}[norm], eps=radius, loss="ce",
        n_restarts=1, seed=0, device="cpu", verbose=False,
    )  # fmt: skip
    result = theirs.perturb(pixels.clone(), truth.clone())
    with torch.no_grad():
        lost = [int((box.embed_pixels(x).argmax(dim=1) != truth).sum()) for x in (changed, result)]
    assert 5 < lost[1] < n - 5  # the comparison can tell
    assert abs(lost[0] - lost[1]) <= 2


def test_checkpoints_are_those_of_the_paper() -> None:
    assert checkpoints(100) == (22, 41, 57, 70, 80, 87, 93, 99)


def test_a_step_that_stops_paying_is_halved() -> None:
    """The first steps cross the whole ball; without halving, the summit within it would be jumped over for ever."""

    class Summit:
        def embed_pixels(self, pixels: Tensor) -> Tensor:
            mean = pixels.flatten(1).mean(dim=1)
            angle = 0.3 + 0.4 * torch.exp(-(((mean - 0.503) / 0.01) ** 2))  # likest to the other at 0.503, never it
            return torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)

    pixels = torch.full((1, 3, SIDE, SIDE), 0.5)
    changed = apgd(Summit(), pixels, goal(1), ball=Ball("linf", 0.02), steps=60, noise=torch.zeros_like(pixels) + 0.05)
    assert abs(float(changed.mean()) - 0.503) < 0.0005


def test_the_ratio_by_hand() -> None:
    logits = torch.tensor([[3.0, 2.0, 1.0, 0.0], [3.0, 2.0, 1.0, 0.0]])
    assert ratio(logits, torch.tensor([0, 2])).tolist() == pytest.approx([-(3 - 2) / 2, -(1 - 3) / 2])
    assert ratio(logits[:, :2], torch.tensor([0, 1])).tolist() == pytest.approx([-1.0, 1.0])
    assert ratio(7 * logits, torch.tensor([0, 2])).tolist() == pytest.approx([-0.5, 1.0])


def test_balls_by_hand() -> None:
    centre = torch.full((1, 3, 2, 2), 0.9)
    far = torch.full((1, 3, 2, 2), 1.5)
    assert torch.allclose(Ball("linf", 0.05).project(far, centre), torch.tensor(0.95))
    assert torch.allclose(Ball("linf", 0.5).project(far, centre), torch.tensor(1.0))  # cut with 0..1
    near = Ball("l2", 0.1).project(far, centre) - centre
    assert near.flatten().norm().item() == pytest.approx(0.1, rel=1e-4)
    gradient = torch.tensor([3.0, 0.0, -4.0]).view(1, 3, 1, 1)
    assert Ball("linf", 1).ascent(gradient).flatten().tolist() == [1, 0, -1]
    assert Ball("l2", 1).ascent(gradient).flatten().tolist() == pytest.approx([0.6, 0, -0.8])
    assert np.isfinite(Ball("l2", 1).ascent(torch.zeros(1, 3, 2, 2)).numpy()).all()
    assert Ball("l2", 2).size(Ball("l2", 2).surface(gradient)).item() == pytest.approx(2)
    assert Ball("linf", 2).size(Ball("linf", 2).surface(gradient)).item() == pytest.approx(2)
