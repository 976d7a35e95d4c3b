"""The job as a whole: objectives, refusals, and that nothing is left behind."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from tiny_boxes import EYE, SIDE, Conv, Curved, Linear, Vit, ask, hooks, noise

from workbench.attribution import METHODS, Attribution, Request, availability, explain
from workbench.attribution.request import MAX_POSITIONS
from workbench.attribution.score import score_of
from workbench.errors import BadInput, OutOfResources, Unsupported, WorkbenchError
from workbench.progress import Progress

ALL = [method.key for method in METHODS]


def test_the_contrast_is_the_log_odds_of_the_softmax() -> None:
    box, picture = Curved(), torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    values = score_of(box, Request("occlusion", noise(), EYE, 2))(picture)
    odds = (10.0 * box(picture)).softmax(dim=1)[:, 2].logit()
    torch.testing.assert_close(values, odds, atol=1e-4, rtol=1e-4)


def test_one_label_is_left_with_its_cosine() -> None:
    *_, result = explain(Linear(), Request("occlusion", noise(), EYE[:1], 0))
    assert isinstance(result, Attribution)
    assert result.objective == "cosine"
    assert "plain cosine" in result.note
    np.testing.assert_allclose(result.map, ask(Linear(), "occlusion", noise()).map)


@pytest.mark.parametrize("method", ["integrated-gradients", "occlusion"])
def test_the_region_that_decides_carries_the_mass_for_its_label(method: str) -> None:
    white = np.full((3, SIDE, SIDE), 255, dtype=np.uint8)
    for target, place in ((0, np.s_[:6, 2:12]), (1, np.s_[15:, 12:])):
        result = ask(Linear(), method, white, target, baseline="black", window=3, stride=3)
        assert result.map[place].sum() / result.map.sum() > 0.8
        assert result.positive_share == pytest.approx(1, abs=1e-4)  # float32 noise


@pytest.mark.parametrize("method", ALL)
def test_nothing_is_left_behind(method: str) -> None:
    box = Vit(4) if method == "attention-relevance" else Conv()
    with torch.inference_mode():
        box.embed_pixels(torch.rand(1, 3, SIDE, SIDE))
        for _ in explain(box, Request(method, noise(), EYE, 0, batch=4)):
            assert torch.is_inference_mode_enabled()  # the caller's mode stays the caller's
    steps = explain(box, Request(method, noise(), EYE, 0, batch=4))
    next(steps)
    assert torch.is_grad_enabled()
    steps.close()  # type: ignore[attr-defined]
    assert not list(hooks(box))
    assert all(weight.grad is None and weight.requires_grad for weight in box.parameters())


@pytest.mark.parametrize("method", ALL)
def test_numbers_that_are_none_are_refused(method: str) -> None:
    box = Vit(4) if method == "attention-relevance" else Conv()
    with torch.no_grad():
        next(box.parameters()).view(-1)[3] = float("nan")
    with pytest.raises(WorkbenchError, match="NaN"):
        list(explain(box, Request(method, noise(), EYE, 0)))
    assert not list(hooks(box))


def test_a_device_without_memory_says_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Conv, pixels: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(Conv, "forward", full)
    box = Conv()
    with pytest.raises(OutOfResources, match="smaller"):
        list(explain(box, Request("grad-cam", noise(), EYE, 0)))
    assert not list(hooks(box))


def test_questions_and_answers_travel() -> None:
    request = pickle.loads(pickle.dumps(Request("integrated-gradients", noise(), EYE, 1, steps=9, batch=4)))
    answers = pickle.loads(pickle.dumps(list(explain(Linear(), request))))
    assert [(step.done, step.total) for step in answers[:-1] if isinstance(step, Progress)] == [(4, 9)]
    assert isinstance(answers[-1], Attribution)
    assert answers[-1].seconds > 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"method": "gradcam"}, "grad-cam"),
        ({"objective": "loss"}, "contrast"),
        ({"baseline": "pink"}, "grey"),
        ({"pixels": noise().astype(np.float32)}, "float32"),
        ({"pixels": noise()[:, 1:]}, "square"),
        ({"pixels": noise()[0]}, "square"),
        ({"texts": EYE[0]}, "one row each"),
        ({"texts": EYE * 2}, "length 1"),
        ({"texts": EYE * np.float32("nan")}, "length 1"),
        ({"target": 3}, "from 0 to 2; got 3"),
        ({"target": -1}, "from 0 to 2"),
        ({"target": True}, "whole number"),
        ({"steps": 1}, "from 2"),
        ({"batch": 0}, "from 1"),
        ({"window": 25}, "from 1 to 24"),
        ({"window": 4, "stride": 5}, "from 1 to 4"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once(change: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        Request(**{"method": "occlusion", "pixels": noise(), "texts": EYE, "target": 0, **change})


def test_too_many_positions_are_refused() -> None:
    with pytest.raises(BadInput, match=str(MAX_POSITIONS)):
        Request("occlusion", np.zeros((3, 224, 224), np.uint8), EYE, 0, window=8, stride=1)


def test_a_picture_or_labels_of_another_model_are_refused_before_the_first_step() -> None:
    with pytest.raises(BadInput, match="24 pixels"):
        explain(Linear(), Request("occlusion", np.zeros((3, 32, 32), np.uint8), EYE, 0))
    with pytest.raises(BadInput, match="3 numbers"):
        explain(Linear(), Request("occlusion", noise(), np.eye(4, dtype=np.float32), 0))


def test_what_a_model_cannot_serve_has_a_reason() -> None:
    served = {name: availability(box) for name, box in (("flat", Linear()), ("conv", Conv()), ("vit", Vit(0)))}
    assert all(list(reasons) == ALL for reasons in served.values())
    assert [key for key in ALL if not served["flat"][key]] == ["integrated-gradients", "occlusion"]
    assert [key for key in ALL if not served["conv"][key]] == ["grad-cam", "integrated-gradients", "occlusion"]
    assert [key for key in ALL if not served["vit"][key]] == ALL
    assert all("black box" in reason for reason in availability(object()).values())
    with pytest.raises(Unsupported, match="black box"):
        explain(object(), Request("occlusion", noise(), EYE, 0))  # type: ignore[arg-type]


def test_low_precision_is_said() -> None:
    box = Linear()
    box.dtype = torch.bfloat16
    assert "bfloat16" in ask(box, "occlusion", noise()).note
    assert "float32" not in ask(Linear(), "occlusion", noise()).note
