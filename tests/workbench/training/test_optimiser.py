"""AdamW's groups, the learning rate over time and the moving average, against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from workbench.training.optimiser import adamw, follow, rate_at, set_rate


class Some(nn.Module):
    """A matrix, three vectors, a number, and something locked."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(2, 3)
        self.norm = nn.LayerNorm(3)
        self.logit_scale = nn.Parameter(torch.tensor(1.0))
        self.locked = nn.Parameter(torch.ones(2, 2), requires_grad=False)


def test_gains_biases_and_the_scale_do_not_decay() -> None:
    made = Some()
    optimiser = adamw(made.named_parameters(), decay=0.2)
    decaying, kept = optimiser.param_groups
    assert [one.shape for one in decaying["params"]] == [(3, 2)]
    assert (decaying["weight_decay"], kept["weight_decay"]) == (0.2, 0.0)
    assert len(kept["params"]) == 4
    set_rate(optimiser, 0.5)
    for one in made.parameters():
        one.grad = torch.zeros_like(one)
    before = {name: one.detach().clone() for name, one in made.named_parameters()}
    optimiser.step()  # without a gradient, only decay moves anything: by the factor 1 - rate x decay
    torch.testing.assert_close(made.dense.weight, before.pop("dense.weight") * (1 - 0.5 * 0.2))
    for name, one in before.items():
        assert torch.equal(made.state_dict()[name], one), name


def test_the_rate_goes_up_straight_and_down_as_half_a_cosine() -> None:
    rates = [rate_at(step, 12, peak=1.0, warmup=4) for step in range(12)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4] == 1.0
    assert rates[8] == pytest.approx(0.5)
    assert rates[11] == pytest.approx((1 + math.cos(math.pi * 7 / 8)) / 2)
    assert rate_at(0, 1, peak=2.0, warmup=0) == 2.0


def test_an_average_follows_what_learns() -> None:
    average, learning = nn.Linear(1, 1), nn.Linear(1, 1)
    learning.bias.requires_grad_(False)
    with torch.no_grad():
        for part, value in ((average.weight, 1.0), (average.bias, 1.0), (learning.weight, 2.0), (learning.bias, 2.0)):
            part.fill_(value)
    follow(average, learning, 0.9)
    assert average.weight.item() == pytest.approx(0.9 * 1 + 0.1 * 2)
    assert average.bias.item() == 1  # it does not learn
    assert learning.weight.item() == 2
