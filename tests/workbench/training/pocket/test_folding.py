"""The quick tower is the tower: same answers, same gradients, and the way back."""

from __future__ import annotations

import pytest
import timm
import torch

from workbench.training.pocket import folding, towers


def tower() -> torch.nn.Module:
    torch.manual_seed(0)
    net = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):  # as if trained
            part.running_mean.uniform_(-0.2, 0.2)
            part.running_var.uniform_(0.7, 1.5)
            part.weight.data.uniform_(0.7, 1.3)
            part.bias.data.uniform_(-0.1, 0.1)
    return net


def test_folding_changes_no_answer_and_unfolding_gives_the_weights_back() -> None:
    net = tower()
    quick = folding.folded(net)
    pixels = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        want = towers.late(net, towers.early(net, pixels, 3), 3)
        got = towers.late(quick, towers.early(quick, pixels, 3), 3)
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-4)
    assert want.shape == (2, 1280)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in quick.modules())
    back = folding.unfolded(quick.state_dict(), net)
    for name, value in net.state_dict().items():
        torch.testing.assert_close(back[name], value, rtol=1e-4, atol=1e-5, msg=name)


def test_what_training_changed_survives_unfolding() -> None:
    net = tower()
    quick = folding.folded(net)
    with torch.no_grad():
        quick.blocks[5][1].conv_pw.weight.mul_(1.1)
        quick.blocks[5][1].conv_pw.bias.add_(0.05)
    other = tower()
    other.load_state_dict(folding.unfolded(quick.state_dict(), net))
    pixels = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        want = towers.late(quick, towers.early(quick, pixels, 3), 3)
        got = towers.late(other, towers.early(other, pixels, 3), 3)
        before = towers.late(net, towers.early(net, pixels, 3), 3)
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-4)
    assert (got - before).abs().max() > 1e-3


def test_the_last_map_keeps_what_it_holds_below_zero() -> None:
    quick = folding.folded(tower())
    both = towers.Towers(quick, torch.nn.Identity(), dim=4, frozen=3)
    for dtype in (torch.float32, torch.bfloat16):
        with torch.autocast("cpu", dtype, enabled=dtype is torch.bfloat16):
            last = both.last(both.early(torch.rand(2, 3, 64, 64) * 2 - 1), 3)
            before = last.detach().clone()
            both.averaged(last).sum().backward()
        assert before.min() < 0
        assert torch.equal(last, before)


@torch.no_grad()
def test_early_maps_are_the_same_however_many_pictures_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = folding.folded(tower())
    pixels = torch.rand(2 * towers.AT_ONCE + 3, 3, 48, 48) * 2 - 1
    got = towers.early(quick, pixels, 3)
    monkeypatch.setattr(towers, "AT_ONCE", len(pixels))
    assert got.shape == (len(pixels), 40, 6, 6)
    torch.testing.assert_close(got, towers.early(quick, pixels, 3))


def test_the_rate_says_how_much_folding_changed_the_weights() -> None:
    net = tower()
    with torch.no_grad():
        net.blocks[4][1].bn1.weight.mul_(8)
    quick, before = folding.folded(net), folding.folded(tower())
    assert quick.blocks[4][1].conv_pw.rate == pytest.approx(8 * before.blocks[4][1].conv_pw.rate, rel=1e-4)


def test_a_stage_learns_less_and_what_is_locked_not_at_all() -> None:
    quick = folding.folded(tower())
    quick.requires_grad_(False)
    for part in (*quick.blocks[3:], quick.conv_head):
        part.requires_grad_(True)
    groups = folding.groups(quick, 2.0, first={"blocks.3.": 0.5})
    base = {id(group["params"][0]): group["base"] for group in groups}
    early, late = quick.blocks[3][0].conv_pw, quick.blocks[6][0].conv_pw
    assert [base[id(early.bias)], base[id(late.bias)]] == [1.0, 2.0]
    assert [base[id(early.weight)], base[id(late.weight)]] == pytest.approx([early.rate, 2 * late.rate])
    assert id(quick.blocks[2][0].conv_pw.weight) not in base
