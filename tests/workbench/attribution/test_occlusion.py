"""Occlusion against falls worked out by hand, and against Captum in one go."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import Occlusion
from tiny_boxes import EYE, SIDE, Curved, Linear, ask, noise

from workbench.attribution import Request, explain
from workbench.attribution.score import score_of
from workbench.progress import Progress


def test_the_fall_is_what_the_covered_square_added() -> None:
    box, pixels = Linear(), noise()
    terms = (box.weight[0].detach() * (torch.from_numpy(pixels).float() / 255 - 1)).sum(dim=0)  # against white
    sums = terms.view(4, 6, 4, 6).sum(dim=(1, 3))  # squares of 6 x 6 that do not overlap
    expected = sums.repeat_interleave(6, 0).repeat_interleave(6, 1)
    result = ask(box, "occlusion", pixels, baseline="white", window=6, stride=6)
    np.testing.assert_allclose(result.map, expected, atol=1e-4)


@pytest.mark.parametrize(("window", "stride"), [(5, 3), (7, 7), (24, 24), (9, 2), (10, 9)])
@pytest.mark.parametrize("batch", [1, 2, 5, 64])
def test_stretches_give_what_captum_gives_in_one_go(window: int, stride: int, batch: int) -> None:
    box, pixels = Curved(), noise(5)
    picture = torch.from_numpy(pixels).float()[None] / 255
    request = Request("occlusion", pixels, EYE, 1, window=window, stride=stride)
    expected = Occlusion(score_of(box, request)).attribute(
        picture, (3, window, window), (3, stride, stride), baselines=0.5, perturbations_per_eval=64
    )[0, 0]
    options = {"objective": "contrast", "baseline": "grey", "window": window, "stride": stride, "batch": batch}
    result = ask(box, "occlusion", pixels, 1, **options)
    np.testing.assert_allclose(result.map, expected, atol=2e-6)


def test_every_position_is_counted_and_no_step_is_larger_than_a_batch() -> None:
    request = Request("occlusion", noise(), EYE, 0, window=5, stride=3, batch=3)
    *steps, _ = explain(Linear(), request)
    done = [0] + [step.done for step in steps if isinstance(step, Progress)]
    positions = (-(-(SIDE - 5) // 3) + 1) ** 2
    assert done[-1] == positions == steps[-1].total
    assert max(np.diff(done)) <= 3
    assert min(np.diff(done)) >= 1
