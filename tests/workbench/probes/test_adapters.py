"""Few-shot methods against hand-written formulas, autograd, scikit-learn, and their limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from workbench.errors import UnknownName
from workbench.probes.adapters import cross_modal as crossing
from workbench.probes.adapters import lp_plus_plus as lp
from workbench.probes.adapters import methods, tip_adapter
from workbench.probes.adapters import text_initialised as text
from workbench.probes.adapters.support import Support

K, SHOTS, DIM, SEEDS = 3, 4, 12, 2


def unit(rows: torch.Tensor) -> torch.Tensor:
    return rows / rows.norm(dim=-1, keepdim=True)


@pytest.fixture
def support() -> Support:
    rng = torch.Generator().manual_seed(0)
    y = torch.arange(K).repeat_interleave(SHOTS)
    centres = torch.randn(K, DIM, generator=rng)
    images = unit(centres[y] + torch.randn(SEEDS, K * SHOTS, DIM, generator=rng))
    judges = unit(centres[y] + torch.randn(SEEDS, K * SHOTS, DIM, generator=rng))
    texts = unit(centres + torch.randn(K, DIM, generator=rng))
    return Support(images, y, judges, y, texts, 20.0)


@pytest.fixture
def rows() -> torch.Tensor:
    return unit(torch.randn(7, DIM, generator=torch.Generator().manual_seed(1)))


def test_tip_adapter_by_hand(support: Support, rows: torch.Tensor) -> None:
    keys = support.images[1]
    logits = tip_adapter.cache_logits(support, rows, keys, alpha=1.5, beta=3.0)
    for i, row in enumerate(rows.double()):
        for c in range(K):
            expected = 20.0 * float(row @ support.texts[c].double())
            for key, label in zip(keys.double(), support.y, strict=True):
                if int(label) == c:
                    expected += 1.5 * math.exp(-3.0 * (1 - float(row @ key)))
            assert float(logits[i, c]) == pytest.approx(expected, rel=1e-5)


def test_without_its_cache_tip_adapter_is_zero_shot(
    support: Support, rows: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tip_adapter, "ALPHAS", (0.0,))
    for fit in (tip_adapter.tip_adapter, tip_adapter.tip_adapter_f):
        assert torch.allclose(fit(support)(rows, 1), 20.0 * rows @ support.texts.T)


def test_alpha_and_beta_are_the_best_of_the_grid_on_judging_images(support: Support) -> None:
    scorer = tip_adapter.tip_adapter(support)
    for drawing in range(SEEDS):
        judges, truth = support.judges[drawing], support.judged
        right = float((scorer(judges, drawing).argmax(dim=1) == truth).float().mean())
        tried = [
            tip_adapter.cache_logits(support, judges, support.images[drawing], alpha=alpha, beta=beta)
            for alpha in tip_adapter.ALPHAS
            for beta in tip_adapter.BETAS
        ]
        assert right == max(float((logits.argmax(dim=1) == truth).float().mean()) for logits in tried)


def test_trained_keys_fit_the_images_better_and_without_epochs_are_the_images(
    support: Support, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loss(keys: torch.Tensor) -> float:
        logits = tip_adapter.cache_logits(support, support.images[0], keys, alpha=1.0, beta=5.5)
        return float(torch.nn.functional.cross_entropy(logits, support.y))

    assert loss(tip_adapter.trained_keys(support, 0)) < loss(support.images[0])
    assert torch.equal(tip_adapter.trained_keys(support, 0), tip_adapter.trained_keys(support, 0))
    monkeypatch.setattr(tip_adapter, "EPOCHS", 0)
    assert torch.equal(tip_adapter.trained_keys(support, 0), support.images[0])


def test_the_descent_is_that_of_autograd_and_sgd(support: Support) -> None:
    """Eight steps of torch's SGD on the loss as written down, one drawing at a time."""
    pull = torch.tensor([[0.5, 1.0, 0.0], [2.0, 0.1, 0.3]])
    weights = text.trained(support, pull, steps=8)
    for drawing in range(SEEDS):
        start = text.LENGTH * support.texts
        w = start.clone().requires_grad_()
        descent = torch.optim.SGD([w], lr=0.1, momentum=0.9)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(descent, 8)
        for _ in range(8):
            logits = 20.0 * support.images[drawing] @ unit(w).T
            loss = torch.nn.functional.cross_entropy(logits, support.y)
            loss = loss + (pull[drawing] * ((w - start) ** 2).sum(dim=1)).mean()
            descent.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            descent.step()
            schedule.step()
        assert torch.allclose(weights[drawing], unit(w).detach(), atol=1e-4)


def test_clap_holds_classes_by_their_zero_shot_probability(support: Support, rows: torch.Tensor) -> None:
    pull = text.multipliers(support)
    for drawing in range(SEEDS):
        chances = (20.0 * support.images[drawing] @ support.texts.T).softmax(dim=1)
        by_hand = [chances[c * SHOTS : (c + 1) * SHOTS, c].mean() for c in range(K)]
        assert torch.allclose(pull[drawing], torch.stack(by_hand))
    free, held = (text.trained(support, factor * torch.ones(SEEDS, K)) for factor in (0.0, 5.0))
    away = [float((weights - support.texts).norm()) for weights in (free, held)]
    assert away[1] < 0.2 * away[0]
    assert torch.allclose(text.clap(support)(rows, 0), 20.0 * rows @ text.trained(support, pull)[0].T)


def test_mixes_end_at_zero_shot_and_at_the_probe(support: Support, rows: torch.Tensor) -> None:
    tuned = text.trained(support, torch.zeros(SEEDS, K))
    ends = [text.mixed(support, tuned, mix)(rows, 1) for mix in (0.0, 1.0)]
    assert torch.allclose(ends[0], 20.0 * rows @ support.texts.T, atol=1e-5)
    assert torch.allclose(ends[1], text.text_initialised(support)(rows, 1), atol=1e-5)
    middle = unit(support.texts + tuned[1])
    assert torch.allclose(text.mixed(support, tuned, 0.5)(rows, 1), 20.0 * rows @ middle.T, atol=1e-5)


def test_lp_plus_plus_is_autograd_with_the_steps_of_the_paper(
    support: Support, rows: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty steps, judged on one image that is always answered correctly, so that the last step counts."""
    monkeypatch.setattr(lp, "STEPS", 20)
    easy = Support(
        support.images, support.y, support.texts[None, :1].expand(SEEDS, 1, DIM), support.y[:1], support.texts, 20.0
    )
    scorer = lp.lp_plus_plus(easy)
    for drawing in range(SEEDS):
        x, hot = support.images[drawing], torch.eye(K)[support.y]
        cosines = x @ support.texts.T
        w = (hot.T @ x).requires_grad_()
        b = torch.zeros(K, requires_grad=True)
        share = 250 * torch.stack([cosines[i, c] for i, c in enumerate(support.y)]).mean()
        shares = share.repeat(K).requires_grad_()
        largest = float(torch.linalg.eigvalsh(x.T @ x).max())
        descent = torch.optim.SGD([w, b], lr=4 * len(x) / largest, momentum=0.9)
        for step in range(1, 21):
            logits = x @ w.T + b + shares * cosines
            loss = torch.nn.functional.cross_entropy(logits, support.y)
            descent.zero_grad()
            shares.grad = None
            loss.backward()  # type: ignore[no-untyped-call]
            descent.step()
            if step % 10 == 0:
                assert shares.grad is not None
                shares.data -= len(x) / (4 * (cosines**2).sum(dim=0).max()) * shares.grad
        expected = rows @ w.T + b + shares * (rows @ support.texts.T)
        assert torch.allclose(scorer(rows, drawing), expected.detach(), atol=2e-3)


def test_lp_plus_plus_takes_the_best_step_on_judging_images(support: Support) -> None:
    scorer = lp.lp_plus_plus(support)
    swapped = Support(support.images, support.y, support.images, (support.y + 1) % K, support.texts, 20.0)
    worse = lp.lp_plus_plus(swapped)
    right = [float((one(support.images[0], 0).argmax(dim=1) == support.y).float().mean()) for one in (scorer, worse)]
    assert right[0] > right[1] or right[0] == 1.0


def test_cross_modal_is_logistic_regression_on_images_and_sentences(
    support: Support, rows: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crossing, "STRENGTHS", (0.05,))
    scorer = crossing.cross_modal(support)
    x = np.concatenate([support.images[1].numpy(), support.texts.numpy()])
    y = [*support.y.tolist(), *range(K)]
    model = LogisticRegression(C=20.0, max_iter=5000, tol=1e-8).fit(x, y)
    expected = model.decision_function(rows.numpy())
    logits = scorer(rows, 1).numpy()
    assert np.allclose(
        logits - logits.mean(axis=1, keepdims=True), expected, atol=0.05
    )  # both stop where the slope is small


def test_methods_are_named_and_tip_adapter_f_says_how_its_numbers_came_about() -> None:
    assert len({method.key for method in methods.METHODS}) == len(methods.METHODS) == 7
    assert "test set" in methods.find("tip-adapter-f").note
    with pytest.raises(UnknownName, match="clap"):
        methods.find("clapp")
