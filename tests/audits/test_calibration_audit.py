"""Calibration: planted confidences and accuracies come back as known numbers, and none is found where none is."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest

from audits.analysis import Analysis
from audits.calibration.analyse import FIT, best_temperature, brier, nll
from tests.audits.planted import dataset, embedded, find, one_hot, protocol, stages_of
from workbench.errors import BadInput
from workbench.statistics.measures import table

calibration = stages_of("calibration")

LABELS = ("cat", "dog")
SURE = 0.8  # planted confidence: the logits of the two labels are ln 4 apart


@functools.cache
def planted(right: int, n: int = 200, *, score: str = "softmax", bins: int = 15) -> tuple[Analysis, object]:
    """`right` of n pictures are named rightly, each with a probability of 0.8."""
    labels = [LABELS[at % 2] for at in range(n)]
    data = dataset(labels)
    angle = np.pi / 4 - np.arcsin(math.log(SURE / (1 - SURE)) / 10 / math.sqrt(2))  # cos - sin = ln 4 / scale
    near = np.array([np.cos(angle), np.sin(angle)])
    wrong = np.random.default_rng(0).permutation(n) >= right
    images = np.array(
        [near if (label == "cat") != miss else near[::-1] for label, miss in zip(labels, wrong, strict=True)]
    )
    rules = protocol("calibration", {"sizes": [0], "bins": bins})
    samples = calibration.score(embedded(data, images, one_hot(LABELS), score=score), rules, seed=0)
    model = embedded(data, images, one_hot(LABELS), score=score).model
    return calibration.analyse(samples, rules, model=model, seed=0), samples


@pytest.mark.heavy
def test_a_planted_overconfidence_comes_back_with_its_size() -> None:
    analysis, samples = planted(right=120)  # of 200, with 0.8 each
    assert find(analysis, "accuracy").value == pytest.approx(0.6)
    assert find(analysis, "confidence").value == pytest.approx(SURE, abs=1e-5)
    assert find(analysis, "overconfidence").value == pytest.approx(0.2, abs=1e-5)
    assert find(analysis, "overconfidence").p_adj < 0.001  # type: ignore[operator]
    for metric in ("ece", "ece_equal_mass"):
        error = find(analysis, metric)
        assert error.value == pytest.approx(0.2, abs=1e-5)
        assert error.null_q95 < 0.08  # type: ignore[operator]
        assert (error.ci_low, error.ci_method[:22]) == (None, "none (consistency band")
        assert error.p_value < 0.01  # type: ignore[operator]
    assert find(analysis, "brier").value == pytest.approx(0.6 * 2 * 0.2**2 + 0.4 * 2 * 0.8**2, abs=1e-4)
    assert find(analysis, "nll").value == pytest.approx(-0.6 * math.log(0.8) - 0.4 * math.log(0.2), abs=1e-4)
    fitted = samples[samples["part"] == FIT]["outcome:accuracy"].mean()  # type: ignore[index]
    expected = math.log(4) / math.log(fitted / (1 - fitted))  # the temperature that makes 0.8 the share that is right
    assert find(analysis, "temperature").value == pytest.approx(expected, rel=1e-3)
    held = samples[samples["part"] != FIT]["outcome:accuracy"].mean()  # type: ignore[index]
    assert find(analysis, "ece.held_out").value == pytest.approx(abs(SURE - held), abs=1e-4)
    assert find(analysis, "ece.held_out_scaled").value == pytest.approx(abs(fitted - held), abs=1e-3)
    scaled = -held * math.log(fitted) - (1 - held) * math.log(1 - fitted)  # the temperature says 0.8 -> what was fitted
    plain = -held * math.log(SURE) - (1 - held) * math.log(1 - SURE)
    assert find(analysis, "nll_change.scaled").value == pytest.approx(scaled - plain, abs=1e-3)
    assert [one.strength for one in analysis.findings] == ["found"]
    assert "the model is overconfident by" in analysis.findings[0].text


@pytest.mark.heavy
def test_none_is_found_where_confidence_is_accuracy() -> None:
    analysis, _ = planted(right=160)
    assert find(analysis, "ece").value == pytest.approx(0, abs=1e-5)
    assert find(analysis, "overconfidence").value == pytest.approx(0, abs=1e-5)
    assert find(analysis, "ece").p_value > 0.5  # type: ignore[operator]
    assert [one.strength for one in analysis.findings] == ["no evidence"]


@pytest.mark.heavy
def test_underconfidence_has_the_other_sign() -> None:
    analysis, _ = planted(right=196)
    assert find(analysis, "overconfidence").value == pytest.approx(-0.18, abs=1e-5)
    assert "the model is underconfident by" in analysis.findings[0].text


@pytest.mark.heavy
def test_a_sigmoid_model_is_judged_label_by_label() -> None:
    analysis, samples = planted(right=160, score="sigmoid")
    logits = np.stack(samples["scores"])  # type: ignore[index]
    chances = 1 / (1 + np.exp(-logits))
    assert find(analysis, "confidence").value == pytest.approx(chances.max(axis=1).mean())
    truth = samples["truth"].to_numpy()  # type: ignore[index]
    output = np.eye(2)[truth]
    cross = -(output * np.log(chances) + (1 - output) * np.log(1 - chances)).sum(axis=1)
    assert np.allclose(nll("sigmoid", logits, truth), cross)
    assert np.allclose(brier(chances, truth), ((chances - output) ** 2).sum(axis=1))


def test_the_best_temperature_by_hand() -> None:
    assert best_temperature("softmax", np.array([[2.0, 0.0]] * 4), np.array([0, 0, 0, 1])) == pytest.approx(
        2 / math.log(3), rel=1e-3
    )


def test_smaller_sets_hold_the_true_label_and_are_drawn_for_each_picture() -> None:
    names = [f"thing {at}" for at in range(12)]
    data = dataset(names * 3)
    rng = np.random.default_rng(1)
    images = rng.normal(size=(36, 12))
    rules = protocol("calibration", {"sizes": [2, 5, 0, 40]})
    handed = embedded(data, images / np.linalg.norm(images, axis=1, keepdims=True), one_hot(names))
    samples = calibration.score(handed, rules, seed=0)
    assert list(dict.fromkeys(samples["labels"])) == [2, 5, 12]
    for size, rows in samples.groupby("labels"):
        assert {len(row) for row in rows["scores"]} == {size}
        cosines = [
            round(float(handed.images[at] @ np.eye(12)[at % 12]) * 10, 4) for at in range(36)
        ]  # of the true label, scale 10
        assert [round(row[at], 4) for row, at in zip(rows["scores"], rows["truth"], strict=True)] == pytest.approx(
            cosines, abs=1e-4
        )
    again = calibration.score(handed, rules, seed=0)
    assert samples.equals(again)
    other = calibration.score(handed, rules, seed=1)
    assert not samples["scores"].equals(other["scores"])


def test_a_temperature_is_judged_on_clusters_that_it_was_not_found_on() -> None:
    labels = [LABELS[at // 4 % 2] for at in range(80)]
    data = dataset(labels, cluster=[f"c{at // 4}" for at in range(80)])
    images = np.random.default_rng(2).normal(size=(80, 2))
    samples = calibration.score(embedded(data, images, one_hot(LABELS)), protocol("calibration"), seed=0)
    assert (samples.groupby("cluster")["part"].nunique() == 1).all()
    assert samples.groupby("part")["cluster"].nunique().to_dict() == {"fit": 10, "held": 10}


@pytest.mark.heavy
def test_the_same_seed_gives_the_same_table() -> None:
    first, second = (table(planted.__wrapped__(right=20, n=40)[0].measures) for _ in "12")
    assert first.equals(second)


def test_nothing_measurable_is_refused_and_a_wrong_setting_too() -> None:
    with pytest.raises(BadInput, match="No image"):
        calibration.plan(
            dataset(["cat", "dog"]), protocol("calibration", label_sets={"x": {"labels": ["a", "b"]}}), seed=0
        )
    with pytest.raises(BadInput, match="at least 2"):
        calibration.plan(dataset(["cat", "cat"]), protocol("calibration"), seed=0)
    with pytest.raises(BadInput, match="settings: bins"):
        calibration.plan(dataset(["cat", "dog"]), protocol("calibration", {"bins": 1}), seed=0)


def test_with_few_pictures_nothing_is_concluded() -> None:
    analysis, _ = planted(right=6, n=10)
    assert {one.strength for one in analysis.findings} == {"not judged"}
