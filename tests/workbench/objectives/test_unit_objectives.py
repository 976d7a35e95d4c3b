"""Objectives of feature visualisation by hand: facets, sameness of a batch, and waking a silent unit."""

from __future__ import annotations

import pytest
import torch

from workbench.objectives import Faceted, Forward, OutsideRange, Sameness, UnitActivation, UnitShare, Waking

UNIT = UnitActivation("above", 0)


def test_a_facet_weights_activation_times_gradient() -> None:
    """F = mean over cells of 2 a + 3 b; g * df/dg = (2 a, 3 b) / cells, weighted by (1, -1)."""
    below = torch.tensor([[[[1.0, 2.0]], [[5.0, 7.0]]]], requires_grad=True)  # (1, 2 channels, 1, 2 cells)
    above = (2 * below[:, :1] + 3 * below[:, 1:]).clone()
    faceted = Faceted(UNIT, "below", torch.tensor([1.0, -1.0]))
    score = faceted.score(Forward(below, torch.zeros(1, 3), {"below": below, "above": above}))
    assert score.item() == pytest.approx((2 * (1 + 2) - 3 * (5 + 7)) / 2)
    score.sum().backward()
    assert below.grad is not None
    assert below.grad[0, :, 0, 0].tolist() == pytest.approx([1.0, -1.5]), "the gradient in it counts as a constant"
    assert faceted.layers == {"above", "below"}


def test_sameness_is_the_cosine_of_gram_matrices() -> None:
    generator = torch.Generator().manual_seed(0)
    cells = torch.randn(3, 5, 2, 2, generator=generator)  # (n, units, rows, columns)
    grams = [torch.einsum("uhw,vhw->uv", one, one).flatten() for one in cells]
    unit = torch.stack([one / one.norm() for one in grams])
    by_hand = ((unit @ unit.T).sum(dim=1) - 1) / 2
    score = Sameness("above").score(Forward(cells, torch.zeros(3, 3), {"above": cells}))
    assert score.tolist() == pytest.approx(by_hand.tolist(), abs=1e-5)
    alone = Sameness("above").score(Forward(cells[:1], torch.zeros(1, 3), {"above": cells[:1]}))
    assert alone.tolist() == pytest.approx([0.0], abs=1e-6)


def test_only_a_silent_unit_is_woken() -> None:
    above = torch.tensor([0.0, 2.0]).reshape(2, 1, 1, 1)
    rows = torch.tensor([[0.6, 0.8, 0.0], [0.6, 0.8, 0.0]], requires_grad=True)
    score = Waking(UNIT, torch.tensor([2.0, 0.0, 0.0]), 0.5).score(Forward(above, rows, {"above": above}))
    assert score.tolist() == pytest.approx([0.6, 0.0])
    score.sum().backward()
    assert rows.grad is not None
    assert rows.grad[0].abs().sum() > 0
    assert rows.grad[1].abs().sum() == 0


def test_the_first_token_alone() -> None:
    tokens = torch.arange(12.0).reshape(2, 3, 2)
    score = UnitActivation("above", 1, "first").score(Forward(tokens, tokens[:, 0], {"above": tokens}))
    assert score.tolist() == [1.0, 7.0]


def test_the_share_of_a_unit_is_a_cosine_with_its_axis() -> None:
    """Mean activations are (3, 4): the units' shares are 0.6 and 0.8, whatever the scale; a silent layer has none."""
    above = torch.tensor([[[[2.0, 4.0]], [[1.0, 7.0]]], [[[20.0, 40.0]], [[10.0, 70.0]]], [[[0.0, 0.0]], [[0.0, 0.0]]]])
    forward = Forward(above, torch.zeros(3, 3), {"above": above})
    assert UnitShare(UNIT).score(forward).tolist() == pytest.approx([0.6, 0.6, 0.0])
    assert UnitShare(UnitActivation("above", 1)).score(forward).tolist() == pytest.approx([0.8, 0.8, 0.0])


def test_only_pixels_outside_the_range_count() -> None:
    pixels = torch.tensor([0.0, 0.05, 0.5, 1.0]).reshape(1, 1, 1, 4).expand(1, 3, 1, 4)
    score = OutsideRange().score(Forward(pixels, torch.zeros(1, 3)))
    assert score.tolist() == pytest.approx([(0.05**2 + 0.05**2) / 4])
