"""Unknown pictures: planted separation comes back, none is found where none is, scores follow their papers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from audits.analysis import Analysis
from audits.catalogue import protocol_names, read_protocol
from audits.contracts import ModelFacts
from audits.datasets.drawn import write_pictures
from audits.datasets.known_and_unknown import EACH, KNOWN, ORIGINS, TEXTURES, digit, pictures, texture
from audits.limits.ood.analyse import ALL
from audits.limits.ood.score import energy, mcm, msp
from tests.audits.planted import dataset, embedded, facts, find, one_hot, protocol, stages_of
from workbench.errors import BadInput
from workbench.statistics.measures import table

ood = stages_of("limits/ood")

LABELS = ("cat", "dog", "owl")
RULES = protocol("limits/ood", {"digit_templates": ["number {}"]})
DIGITS = tuple(f"number {at}" for at in range(10))


def planted(known: float, unknown: float, *, spread: float = 0.0, digits_read: int = 5) -> Analysis:
    """Known pictures have a cosine of `known` with their label, unknown ones of `unknown` with some label."""
    n = 60
    labels = [LABELS[at % 3] for at in range(n)] + ["fox"] * n + [str(at % 10) for at in range(30)]
    origin = ["known"] * n + ["unknown things"] * n + ["digits"] * 30
    rng = np.random.default_rng(0)
    images = np.zeros((len(labels), 3 + 10 + 1))
    for at in range(len(labels)):
        near = (known if at < n else unknown) + spread * rng.normal()
        images[at, at % 3] = near
        if at >= 2 * n:
            number = (at - 2 * n) % 10
            images[at, 3 + (number if number < digits_read else (number + 1) % 10)] = 0.1
        images[at, -1] = np.sqrt(max(0.0, 1 - (images[at, :-1] ** 2).sum()))
    handed = embedded(dataset(labels, origin=origin), images, one_hot([*LABELS, *DIGITS], 14))
    return ood.analyse(ood.score(handed, RULES, seed=0), RULES, model=facts(14), seed=0)


@pytest.mark.heavy
def test_planted_separation_comes_back() -> None:
    analysis = planted(known=0.8, unknown=0.2)
    for score in ("msp", "max_logit", "energy", "mcm"):
        for against in ("unknown things", "digits", ALL):
            assert find(analysis, "auroc", score=score, against=against).value == 1
            assert find(analysis, "auroc", score=score, against=against).p_adj < 0.01  # type: ignore[operator]
            assert find(analysis, "fpr95", score=score, against=against).value == 0
    assert find(analysis, "accuracy").value == 1
    assert find(analysis, "accuracy").n == 60
    assert {one.strength for one in analysis.findings if one.metric == "auroc"} == {"found"}


@pytest.mark.heavy
def test_none_is_found_where_known_and_unknown_are_alike_and_the_wrong_way_round_is_said() -> None:
    alike = planted(known=0.5, unknown=0.5, spread=0.05)
    assert 0.35 < find(alike, "auroc", score="msp", against="unknown things").value < 0.65  # type: ignore[operator]
    assert {one.strength for one in alike.findings if one.metric == "auroc"} == {"no evidence"}
    turned = planted(known=0.2, unknown=0.8)
    assert find(turned, "auroc", score="mcm", against=ALL).value == 0
    assert find(turned, "fpr95", score="mcm", against=ALL).value == 1
    assert "is lower for known images" in next(one.text for one in turned.findings if one.metric == "auroc")


@pytest.mark.heavy
def test_digits_are_a_question_of_their_own() -> None:
    read_half = planted(known=0.8, unknown=0.2, digits_read=5)
    assert find(read_half, "digit_accuracy").value == pytest.approx(0.5)
    assert find(read_half, "digit_accuracy").n == 30
    assert next(one.strength for one in read_half.findings if one.metric == "digit_accuracy") == "found"
    unread = planted(known=0.8, unknown=0.2, digits_read=0)
    assert find(unread, "digit_accuracy").value == 0
    assert next(one.strength for one in unread.findings if one.metric == "digit_accuracy") == "no evidence"


def test_scores_follow_their_papers() -> None:
    cosines = np.random.default_rng(0).uniform(-1, 1, (20, 7))
    logits = torch.from_numpy(20 * cosines)
    assert np.allclose(energy(20 * cosines), torch.logsumexp(logits, dim=1))
    assert np.allclose(msp(torch.softmax(logits, 1).numpy()), torch.softmax(logits, 1).max(1).values)
    by_hand = np.exp(cosines / 0.5).max(1) / np.exp(cosines / 0.5).sum(1)
    assert np.allclose(mcm(cosines, 0.5), by_hand)


def test_each_score_is_made_of_what_it_says() -> None:
    data = dataset(["cat", "dog", "fox"], origin=["known", "known", "x"])
    images = np.array([[0.6, 0.8], [0.8, 0.6], [1.0, 0.0]])
    texts = {**one_hot(["cat", "dog"], 2), **{name: np.array([1.0, 0.0]) for name in DIGITS}}
    for kind in ("softmax", "sigmoid"):
        handed = embedded(data, images, texts, score=kind, bias=-3.0)
        assert isinstance(handed.model, ModelFacts)
        samples = ood.score(handed, RULES, seed=0)
        assert np.allclose(samples["score:max_logit"], [8 - 3, 8 - 3, 10 - 3])
        assert np.allclose(samples["score:mcm"], [1 / (1 + np.exp(-0.2))] * 2 + [1 / (1 + np.exp(-1))])
        chance = 1 / (1 + np.exp(-(8 - 3))) if kind == "sigmoid" else 1 / (1 + np.exp(-2))
        assert samples["score:msp"][0] == pytest.approx(chance)
        assert samples["outcome:accuracy"].isna().tolist() == [False, False, True]
        assert samples["y_pred"].tolist() == ["dog", "cat", "cat"]


def test_without_both_kinds_nothing_is_measured() -> None:
    for origin in (["known", "known"], ["x", "y"]):
        with pytest.raises(BadInput, match="Known and unknown"):
            ood.plan(dataset(["cat", "dog"], origin=origin), RULES, seed=0)
    with pytest.raises(BadInput, match="origin"):
        ood.plan(dataset(["cat", "dog"]), RULES, seed=0)
    with pytest.raises(BadInput, match="settings: scores"):
        ood.plan(dataset(["cat", "dog"]), protocol("limits/ood", {"scores": ["vibes"]}), seed=0)
    for name in protocol_names("limits/ood"):
        ood.Settings.model_validate(read_protocol("limits/ood", name).settings)


@pytest.mark.heavy
def test_the_same_seed_gives_the_same_table() -> None:
    one, two = (planted(known=0.6, unknown=0.5, spread=0.1) for _ in "12")
    assert table(one.measures).equals(table(two.measures))


def test_digits_and_textures_are_drawn() -> None:
    shown = np.asarray(digit(7, "DejaVuSans", style="print"))
    assert shown.shape == (224, 224, 3)
    assert 0.02 < (shown < 128).mean() < 0.3
    assert (np.asarray(digit(7, "DejaVuSans", style="coarse")) < 128).mean() > 0.7  # white on black
    for kind in TEXTURES:
        one = np.asarray(texture(kind, 0))
        assert one.shape == (224, 224, 3)
        assert one.std() > 1
        assert not np.array_equal(one, texture(kind, 1))


@pytest.mark.heavy
def test_the_built_in_set_holds_four_origins_and_is_the_same_each_time(
    drawn: Callable[[str], Path], tmp_path: Path
) -> None:
    write_pictures(tmp_path, pictures())
    rows = pd.read_csv(tmp_path / "samples.csv", dtype=str, keep_default_na=False)
    counts = rows["origin"].value_counts()
    assert counts.to_dict() == dict(zip(ORIGINS, (KNOWN, 150 - KNOWN, 120, len(TEXTURES) * EACH), strict=True))
    known, others = (set(rows.loc[rows["origin"] == origin, "label"]) for origin in ORIGINS[:2])
    assert not known & others
    folder = drawn("known-and-unknown")
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes()
