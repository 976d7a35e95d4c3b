"""The losses against closed forms, and against the libraries that others train with."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from workbench.training.losses import (
    INITIAL_SCALE,
    INITIAL_SIGMOID,
    MAX_SCALE,
    clamp_scale,
    same,
    sigmoid_loss,
    soft_cross_entropy,
    symmetric_cross_entropy,
)

S = torch.tensor(3.0, dtype=torch.float64)
AXES = torch.eye(3, dtype=torch.float64)


def rows(seed: int, n: int = 6, dim: int = 5) -> torch.Tensor:
    drawn = torch.randn(n, dim, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return functional.normalize(drawn, dim=1)


def test_matched_axes_cost_what_the_formula_says() -> None:
    # each row of logits is (s, 0, 0) in some order: -log(e^s / (e^s + 2))
    result = symmetric_cross_entropy(AXES, AXES, S)
    assert result.shape == ()
    assert float(result) == pytest.approx(math.log1p(2 * math.exp(-3)), abs=1e-12)


def test_rows_that_say_nothing_cost_the_logarithm_of_their_number() -> None:
    alike = torch.ones(4, 1, dtype=torch.float64)
    assert float(symmetric_cross_entropy(alike, alike, S)) == pytest.approx(math.log(4), abs=1e-12)


def test_both_directions_count_half() -> None:
    images = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    texts = torch.tensor([[1.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    # picture 0 sees (s, s), picture 1 (0, 0); text 0 sees (s, 0) and is right, text 1 sees the same and is wrong
    by_picture = math.log(2)
    by_text = (math.log1p(math.exp(-3)) + math.log1p(math.exp(3))) / 2
    result = symmetric_cross_entropy(images, texts, S)
    assert float(result) == pytest.approx((by_picture + by_text) / 2, abs=1e-12)


def test_the_gradient_of_the_scale_is_the_closed_one() -> None:
    scale = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    symmetric_cross_entropy(AXES, AXES, scale).backward()
    assert scale.grad is not None
    assert float(scale.grad) == pytest.approx(-2 * math.exp(-3) / (1 + 2 * math.exp(-3)), abs=1e-12)


def test_several_right_answers_share_the_weight() -> None:
    vectors = AXES[[0, 0, 1]]
    result = symmetric_cross_entropy(vectors, vectors, S, positives=same(["a", "a", "b"]))
    twice, once = math.log(2 + math.exp(-3)), math.log1p(2 * math.exp(-3))
    assert float(result) == pytest.approx((2 * twice + once) / 3, abs=1e-12)


def test_without_equal_keys_several_positives_are_the_diagonal() -> None:
    images, texts = rows(0), rows(1)
    plain = symmetric_cross_entropy(images, texts, S)
    torch.testing.assert_close(symmetric_cross_entropy(images, texts, S, positives=same("abcdef")), plain)


def test_weights_are_shared_out_and_a_row_without_any_costs_nothing() -> None:
    logits = torch.tensor([[0.0, 0.0], [1.0, 2.0]], dtype=torch.float64)
    result = soft_cross_entropy(logits, torch.tensor([[3.0, 1.0], [0.0, 0.0]], dtype=torch.float64))
    assert result.shape == (2,)
    assert result.tolist() == pytest.approx([math.log(2), 0.0], abs=1e-12)


def test_matched_axes_cost_the_sigmoid_what_the_formula_says() -> None:
    bias = torch.tensor(-1.0, dtype=torch.float64)
    result = sigmoid_loss(AXES, AXES, S, bias=bias)
    assert result.shape == ()
    # of each picture's three pairs one is right with logit s + b, two are wrong with logit b
    assert float(result) == pytest.approx(math.log1p(math.exp(-2)) + 2 * math.log1p(math.exp(-1)), abs=1e-12)


def test_the_sigmoid_takes_several_right_answers() -> None:
    bias = torch.tensor(-1.0, dtype=torch.float64)
    vectors = AXES[[0, 0]]
    result = sigmoid_loss(vectors, vectors, S, bias=bias, positives=same(["a", "a"]))
    assert float(result) == pytest.approx(2 * math.log1p(math.exp(-2)), abs=1e-12)


def test_open_clip_computes_the_same() -> None:
    from open_clip.loss import ClipLoss, SigLipLoss

    images, texts, scale, bias = rows(2), rows(3), torch.tensor(7.0).double(), torch.tensor(-4.0).double()
    torch.testing.assert_close(symmetric_cross_entropy(images, texts, scale), ClipLoss()(images, texts, scale))
    torch.testing.assert_close(sigmoid_loss(images, texts, scale, bias=bias), SigLipLoss()(images, texts, scale, bias))


@pytest.mark.parametrize("positives", [None, same("aabacb")])
def test_the_shares_of_a_split_batch_add_up(positives: torch.Tensor | None) -> None:
    images, texts, bias = rows(4), rows(5), torch.tensor(-2.0).double()
    parts = (slice(0, 2), slice(2, 6))
    for whole, shares in (
        (
            symmetric_cross_entropy(images, texts, S, positives=positives),
            [symmetric_cross_entropy(images, texts, S, positives=positives, mine=part) for part in parts],
        ),
        (
            sigmoid_loss(images, texts, S, bias=bias, positives=positives),
            [sigmoid_loss(images, texts, S, bias=bias, positives=positives, mine=part) for part in parts],
        ),
    ):
        torch.testing.assert_close(sum(shares), whole)


def test_equal_keys_are_found() -> None:
    assert same(["x", "y", "x"]).tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]


def test_the_scale_is_held_at_a_hundred_and_left_alone_below() -> None:
    scale = torch.nn.Parameter(torch.tensor([5.0, 1.0]))
    clamp_scale(scale)
    assert scale.exp().tolist() == pytest.approx([MAX_SCALE, math.e], rel=1e-6)
    assert scale.requires_grad


def test_training_begins_where_the_papers_do() -> None:
    assert pytest.approx(14.2857, abs=1e-4) == INITIAL_SCALE
    assert INITIAL_SIGMOID == (10.0, -10.0)
