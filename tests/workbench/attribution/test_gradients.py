"""Integrated gradients against the closed form of a linear model, and against Captum in one go."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from tiny_boxes import EYE, Curved, Linear, ask, noise

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
    found = ask(box, "integrated-gradients", pixels, target, baseline=name, steps=4)
    np.testing.assert_allclose(found.map, expected, atol=1e-5)
    assert found.gained == pytest.approx(float(expected.sum()), abs=1e-3)
    assert found.delta == pytest.approx(0, abs=1e-3)
    assert "Rough" not in found.note


@pytest.mark.parametrize("batch", [1, 3, 8, 32])
def test_a_path_in_stretches_gives_what_captum_gives_in_one_go(batch: int) -> None:
    box, pixels = Curved(), noise(3)
    request = Request("integrated-gradients", pixels, EYE, 0, objective="contrast", steps=10, batch=batch)
    picture = torch.from_numpy(pixels).float()[None] / 255
    start = baseline("blur", picture)
    captum = IntegratedGradients(score_of(box, request))
    whole, delta = captum.attribute(
        picture, baselines=start, n_steps=10, method="riemann_middle", return_convergence_delta=True
    )
    found = ask(box, "integrated-gradients", pixels, objective="contrast", steps=10, batch=batch)
    np.testing.assert_allclose(found.map, whole[0].sum(dim=0).detach(), atol=1e-6)
    assert found.delta == pytest.approx(float(delta), abs=1e-4)


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
