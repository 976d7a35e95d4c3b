"""Integrated gradients against the closed form of a linear model, and against Captum in one go."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from tiny_boxes import EYE, Curved, Linear, ask, noise

from workbench.attribution import gradients
from workbench.attribution.baselines import baseline
from workbench.attribution.request import Request
from workbench.attribution.score import score_of


@pytest.mark.parametrize("name", ["black", "grey", "white", "mean", "blur"])
@pytest.mark.parametrize("target", [0, 1, 2])
def test_a_linear_model_gives_weight_times_change(name: str, target: int) -> None:
    pixels = noise()
    picture = torch.from_numpy(pixels).float() / 255
    start = {
        "black": torch.zeros_like(picture),
        "grey": torch.full_like(picture, 0.5),
        "white": torch.ones_like(picture),
        "mean": picture.mean(dim=(1, 2), keepdim=True).expand_as(picture),
        "blur": baseline("blur", picture[None])[0],
    }[name]
    box = Linear()
    expected = (box.weight[target].detach() * (picture - start)).sum(dim=0)
    result = ask(box, "integrated-gradients", pixels, target, baseline=name, steps=4)
    np.testing.assert_allclose(result.map, expected, atol=1e-5)
    assert result.gained == pytest.approx(float(expected.sum()), abs=1e-3)
    assert result.delta == pytest.approx(0, abs=1e-3)
    assert "Rough" not in result.note


def test_an_uneven_path_gives_what_captum_gives_for_an_even_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the points lie changes how soon the integral is reached, not the integral."""
    monkeypatch.setattr(gradients, "_ENOUGH", 0.0)
    box, pixels = Curved(), noise(3)
    request = Request("integrated-gradients", pixels, EYE, 0, objective="contrast")
    picture = torch.from_numpy(pixels).float()[None] / 255
    whole = IntegratedGradients(score_of(box, request)).attribute(
        picture, baselines=baseline("blur", picture), n_steps=2000, method="riemann_middle", internal_batch_size=100
    )
    expected = whole[0].sum(dim=0).detach().numpy()
    result = ask(box, "integrated-gradients", pixels, objective="contrast", steps=256)
    np.testing.assert_allclose(result.map, expected, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("batch", [1, 3, 8, 32])
def test_the_batch_decides_the_memory_and_not_the_numbers(batch: int) -> None:
    box = Curved()
    by_four = ask(box, "integrated-gradients", noise(3), objective="contrast", steps=10, batch=4)
    result = ask(box, "integrated-gradients", noise(3), objective="contrast", steps=10, batch=batch)
    np.testing.assert_allclose(result.map, by_four.map, atol=1e-5)
    assert result.delta == pytest.approx(by_four.delta, abs=1e-4)
    most = []
    embed = box.embed_pixels
    box.embed_pixels = lambda pixels: most.append(len(pixels)) or embed(pixels)  # type: ignore[func-returns-value, method-assign]
    ask(box, "integrated-gradients", noise(3), objective="contrast", steps=10, batch=batch)
    assert max(most) == min(batch, 4)


def test_points_go_where_the_sum_is_off_and_end_when_little_is_missing() -> None:
    straight = ask(Linear(), "integrated-gradients", noise(), steps=200)
    assert straight.note.startswith("100 points")  # half of them are laid out evenly, and nothing is off
    curved = ask(Curved(), "integrated-gradients", noise(3), objective="contrast", steps=200)
    assert curved.relative_delta is not None
    assert curved.relative_delta < 0.08
    for steps in (2, 5, 8, 9):
        used = int(ask(Curved(), "integrated-gradients", noise(3), 2, steps=steps).note.split()[0])
        assert 0 < used <= steps


def test_the_delta_shrinks_with_more_points_and_a_rough_one_is_pointed_out() -> None:
    rough = ask(Curved(), "integrated-gradients", noise(), 2, steps=2, baseline="white")
    fine = ask(Curved(), "integrated-gradients", noise(), 2, steps=64, baseline="white")
    assert rough.relative_delta is not None
    assert fine.relative_delta is not None
    assert fine.relative_delta < rough.relative_delta / 10
    assert fine.relative_delta < 0.01
    assert ("Rough" in rough.note) == (rough.relative_delta > 0.1)


def test_a_blurred_baseline_keeps_the_mean_and_loses_the_detail() -> None:
    picture = torch.from_numpy(noise()).float()[None] / 255
    blurred = baseline("blur", picture)
    assert blurred.shape == picture.shape
    assert blurred.mean() == pytest.approx(float(picture.mean()), abs=0.02)
    assert blurred.std() < picture.std() / 3
