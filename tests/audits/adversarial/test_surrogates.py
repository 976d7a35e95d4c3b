"""Attacks made on another model: what carries over is what both look at, and one that is not here is said to be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import pytest
import torch
from torch import Tensor

from audits.adversarial import surrogates
from audits.adversarial.surrogates import Surrogate
from audits.analysis import Analysis
from audits.protocol import Protocol
from tests.audits.adversarial import test_lp_audit
from tests.audits.adversarial.test_lp_audit import TEXTS, Grey, rules, run, samples_of
from tests.audits.planted import dataset, facts, find, stages_of
from workbench.engine import Engine
from workbench.errors import OutOfResources, UnknownName
from workbench.fake import FakeBackend
from workbench.model_cache import ModelCache

lp = stages_of("adversarial/lp")

ATTACKS: list[dict[str, object]] = [
    {"method": "noise", "norm": "linf", "epsilons": [4]},
    {"method": "pgd", "norm": "linf", "steps": 5, "epsilons": [2, 4]},
]


class Same(Grey):
    """A surrogate that looks at the very same."""

    fingerprint = "same"

    def embed_texts(self, texts: list[str]) -> Tensor:
        return torch.stack([torch.from_numpy(TEXTS[text]) for text in texts])


class Red(Same):
    """A surrogate that looks at the red channel alone."""

    fingerprint = "red"

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        return super().embed_pixels(pixels[:, :1].expand(-1, 3, -1, -1))


def output(given: Protocol, monkeypatch: pytest.MonkeyPatch, other: Grey | None) -> tuple[Analysis, pd.DataFrame]:
    monkeypatch.setattr(surrogates, "weights_of", lambda key: other.fingerprint if other else "")  # type: ignore[attr-defined]
    monkeypatch.setattr(surrogates, "_cache", lambda device: ModelCache(lambda ref: other, limit=1000))
    return run(Grey(), given)


def left(analysis: Analysis, attack: str, epsilon: str) -> float | None:
    return find(analysis, "accuracy", attack=attack, norm="linf", epsilon=epsilon).value


def test_a_surrogate_that_looks_at_the_same_does_what_the_model_itself_does(monkeypatch: pytest.MonkeyPatch) -> None:
    analysis, samples = output(rules(ATTACKS, surrogates=["pocket"]), monkeypatch, Same())
    for epsilon, share in (("2/255", 0.8), ("4/255", 0.6)):
        for attack in ("pgd-ce 5 steps", "pgd-ce 5 steps made on pocket", "worst", "worst made on pocket"):
            assert left(analysis, attack, epsilon) == pytest.approx(share), (attack, epsilon)
    assert not samples["attack"].str.contains("noise made on").any()  # noise is nobody's
    worst = "the worst of the attacks made on pocket, linf 4/255, lowers accuracy"
    assert any(worst in one.text for one in analysis.findings)


def test_of_a_surrogate_that_looks_elsewhere_only_what_both_see_carries_over(monkeypatch: pytest.MonkeyPatch) -> None:
    analysis, _ = output(rules(ATTACKS, surrogates=["pocket"]), monkeypatch, Red())
    assert left(analysis, "worst", "4/255") == pytest.approx(0.6)  # the model's own gradients
    assert left(analysis, "worst made on pocket", "4/255") == pytest.approx(0.9)  # a third of the change: 1.33 of 255
    assert left(analysis, "worst made on pocket", "2/255") == pytest.approx(0.9)  # 0.67 of 255, and one at 0.5
    assert list(analysis.sanity) == []


def test_one_that_is_not_here_is_skipped_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "openai/clip-vit-base-patch32"
    analysis, samples = output(rules(ATTACKS, surrogates=[key]), monkeypatch, None)
    assert not samples["attack"].str.contains("made on").any()
    (message,) = [one for one in analysis.findings if key in one.text]
    assert message.strength == "not measured"
    assert "not on this machine" in message.text
    assert f"clip-workbench models --download {key}" in message.text


def test_the_audited_model_is_no_surrogate_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    own = "pocket-lite2"
    monkeypatch.setattr(test_lp_audit, "facts", lambda dim: replace(facts(dim), key=own))
    analysis, samples = output(rules(ATTACKS, surrogates=[own, "pocket"]), monkeypatch, Same())
    assert set(samples["attack"].str.extract("made on (.*)$", expand=False).dropna()) == {"pocket"}
    (message,) = [one for one in analysis.findings if one.strength == "not measured"]
    assert f"attacks made on {own}, which is the audited model itself" in message.text
    assert left(analysis, "worst", "4/255") == pytest.approx(0.6)


def test_the_recipe_holds_the_surrogates_weights_and_unknown_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dataset(["bright", "dark", "bright", "dark"])
    with pytest.raises(UnknownName, match="nobody"):
        lp.plan(data, rules(ATTACKS, surrogates=["nobody"]), seed=0)
    monkeypatch.setattr(surrogates, "weights_of", lambda key: "f" * 8)
    items = lp.plan(data, rules(ATTACKS, surrogates=["pocket"]), seed=0)
    made = [json.loads(item.recipe) for item in items if "made on pocket" in item.variant]
    assert len(made) == 4 * 2
    assert {(one["on"], one["on_weights"], one["method"]) for one in made} == {("pocket", "f" * 8, "pgd")}


def test_pictures_are_brought_to_the_surrogates_size_with_their_gradient() -> None:
    class Small:
        image_size = 4

        def embed_pixels(self, pixels: Tensor) -> Tensor:
            assert pixels.shape == (2, 3, 4, 4)
            return pixels.mean((2, 3))

    pixels = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    rows = Surrogate(Small()).embed_pixels(pixels)
    assert rows.shape == (2, 3)
    plain = torch.nn.functional.avg_pool2d(pixels, 2).mean((2, 3))
    torch.testing.assert_close(rows, plain, rtol=0, atol=0.02)  # a triangle of half the pixels instead of a box
    rows.sum().backward()
    assert (pixels.grad != 0).all()  # type: ignore[union-attr]


@pytest.mark.heavy
def test_the_shipped_model_is_a_surrogate() -> None:
    assert len(surrogates.weights_of("pocket")) > 8
    with surrogates.surrogate("pocket", Grey()) as surrogate:
        read = surrogate.read(["a cat", "a dog", "a cat"])
        assert list(read) == ["a cat", "a dog"]
        pixels = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0)).requires_grad_()
        (surrogate.embed_pixels(pixels) @ torch.from_numpy(read["a cat"])).sum().backward()
        assert surrogate.backend.fingerprint == surrogates.weights_of("pocket")
    assert pixels.grad is not None
    assert pixels.grad.abs().max() > 0


def test_planning_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("workbench.loading.load", never)
    monkeypatch.setattr("workbench.load", never)
    data = dataset(["bright", "dark", "bright", "dark"])
    items = lp.plan(data, rules(ATTACKS, surrogates=["pocket"]), seed=0)
    assert any("made on pocket" in item.variant for item in items)


def test_a_surrogate_shares_the_cache_and_the_limit_of_the_attacked_model() -> None:
    with Engine(default="fake", device="cpu") as engine, engine.session("a") as session:

        def job(box: FakeBackend) -> Iterator[str]:
            with surrogates.surrogate("pocket", box) as surrogate:
                yield surrogate.backend.spec.key

        assert list(session.steps(job)) == ["pocket"]
        assert engine.loaded() == ["fake", "pocket"]
    small = Engine(default="fake", device="cpu", memory_limit=10**7)
    with small, small.session("a") as session, pytest.raises(OutOfResources, match="'pocket' needs"):
        list(session.steps(job))


def test_of_another_models_gradients_nothing_is_promised() -> None:
    rows = [("pgd-ce 10 steps made on x", "linf", "1/255", 0.5), ("pgd-ce 10 steps made on x", "linf", "4/255", 0.9)]
    rows += [
        ("worst made on x", "linf", "1/255", 0.5),
        ("noise", "linf", "4/255", 0.8),
        ("worst", "linf", "4/255", 0.7),
    ]
    assert list(lp.analyse(samples_of(rows), rules(), model=facts(2), seed=0).sanity) == []
    own = [(attack.partition(" made on ")[0], norm, epsilon, share) for attack, norm, epsilon, share in rows[:2]]
    (flag,) = lp.analyse(samples_of(own), rules(), model=facts(2), seed=0).sanity
    assert "attack is stuck" in flag
