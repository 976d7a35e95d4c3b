"""Methods on test images and shifts: what is answered among what, WiSE-FT's ends, and effective robustness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import linregress

from workbench.datasets import ImageSample, Listing
from workbench.errors import BadInput
from workbench.probes import robustness
from workbench.probes.adaptation import AdaptationPlan, Adapted, Subject, adapted, wise_ft
from workbench.probes.adapters.methods import IMAGE_PROBE, METHODS
from workbench.probes.embedding import ImageFeatures
from workbench.probes.equivalent import equivalent_interval, worth
from workbench.probes.evaluation import ZERO_SHOT
from workbench.probes.few_shot import few_shot
from workbench.probes.labelled import TEST, TRAIN, VALIDATION, LabelledImages
from workbench.probes.shifts import ShiftedFeatures, shifted
from workbench.probes.text_weights import TextWeights
from workbench.statistics.intervals import Interval

K, DIM, SEEDS = 4, 16, 3


def features(y: np.ndarray, seed: int, noise: float = 0.25) -> ImageFeatures:
    rng = np.random.default_rng(seed)
    rows = np.eye(K, DIM)[y] + noise * rng.normal(size=(len(y), DIM))
    unit = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return ImageFeatures(unit, (3 * rows).astype(np.float32), {}, 0.0)


@pytest.fixture
def subject() -> Subject:
    y = np.repeat(np.arange(K), 24)
    parts = np.tile([TRAIN] * 12 + [VALIDATION] * 4 + [TEST] * 8, K)
    samples = tuple(ImageSample(f"{number}.png", Path("x")) for number in range(len(y)))
    images = LabelledImages(samples, tuple("abcd"), y, parts, (), 0)
    noisy = np.eye(K, DIM, dtype=np.float32) + 0.2 * np.random.default_rng(9).normal(size=(K, DIM)).astype(np.float32)
    texts = TextWeights(noisy / np.linalg.norm(noisy, axis=1, keepdims=True), 20.0)
    there = np.array([0, 2] * 10)
    return Subject(images, features(y, 0), texts, (ShiftedFeatures("drawn", features(there, 1, 0.5), there),))


def test_every_method_is_measured_at_every_number_of_shots(subject: Subject) -> None:
    rows = list(adapted(subject, AdaptationPlan(shots=(1, 4, 64), seeds=SEEDS)))
    assert [(row.method, row.shots) for row in rows] == [
        (ZERO_SHOT, 0),
        *((method.key, shots) for shots in (1, 4) for method in METHODS),
    ]
    for row in rows:
        drawings = 1 if row.method == ZERO_SHOT else SEEDS
        assert row.right[TEST].shape == (drawings, 8 * K)
        assert row.right["drawn"].shape == (drawings, 20)
        assert row.base["drawn"].shape == (drawings, 16)
        interval = row.accuracy()
        assert (interval.low or 0) <= (interval.value or 0) <= (interval.high or 0)
    probe = next(row for row in rows if (row.method, row.shots) == (IMAGE_PROBE, 4))
    assert (probe.right[TEST] == few_shot(subject.made.features, subject.images, 4, seeds=SEEDS).right).all()


def test_shifts_are_answered_among_their_own_classes(subject: Subject) -> None:
    zero = next(adapted(subject, AdaptationPlan(methods=())))
    assert subject.texts is not None
    (shift,) = subject.shifts
    cosines = shift.made.embeddings @ subject.texts.weights.T
    by_hand = [(0 if row[0] > row[2] else 2) == truth for row, truth in zip(cosines, shift.y, strict=True)]
    assert zero.right["drawn"][0].tolist() == by_hand


def test_test_images_and_shifts_change_nothing_that_is_fitted(subject: Subject) -> None:
    """Other test images, in another order, are answered as before, each."""
    test = np.flatnonzero(subject.images.rows(TEST))
    order = np.random.default_rng(0).permutation(len(test))
    turned = [rows.copy() for rows in (subject.made.embeddings, subject.made.features)]
    y = subject.images.y.copy()
    for rows in (*turned, y):
        rows[test] = rows[test[order]]
    images = LabelledImages(subject.images.samples, subject.images.classes, y, subject.images.parts, (), 0)
    other = Subject(images, ImageFeatures(*turned, {}, 0.0), subject.texts)
    plan = AdaptationPlan(shots=(2,), seeds=2)
    for before, after in zip(adapted(subject, plan), adapted(other, plan), strict=True):
        assert (before.right[TEST][:, order] == after.right[TEST]).all(), before.method


def test_wise_ft_ends_at_both_models(subject: Subject) -> None:
    plan = AdaptationPlan(methods=tuple(one for one in METHODS if one.key == "text-probe"), shots=(4,), seeds=SEEDS)
    zero, probe = adapted(subject, plan)
    curve = dict(wise_ft(subject, plan, 4))
    assert sorted(curve) == [step / 10 for step in range(11)]
    for name in (TEST, "drawn"):
        assert (curve[0.0].right[name] == zero.right[name]).all()
        assert (curve[1.0].right[name] == probe.right[name]).all()


def test_a_model_without_a_text_tower_has_its_probe_alone(subject: Subject) -> None:
    rows = adapted(Subject(subject.images, subject.made), AdaptationPlan(shots=(2,), seeds=2))
    assert [(row.method, row.shots) for row in rows] == [(IMAGE_PROBE, 2)]


def test_a_shift_keeps_the_classes_of_the_base(subject: Subject) -> None:
    samples = tuple(ImageSample(f"{label}/{at}.png", Path("x"), label) for label in "bdz" for at in range(2))
    images = shifted(Listing(samples), subject.images, name="there")
    assert (images.y.tolist(), images.skipped) == ([1, 1, 3, 3], 2)
    with pytest.raises(BadInput, match="names of the base classes"):
        shifted(Listing(samples[2:]), subject.images, name="there")


def answers(method: str, shots: int, base: float, there: float, n: int = 1000) -> tuple[str, Adapted]:
    rights = [np.arange(n)[None] < round(share * n) for share in (base, there)]
    return "m", Adapted(method, shots, {TEST: rights[0], "s": rights[1]}, {"s": rights[0]})


def test_effective_robustness_is_the_height_over_the_line() -> None:
    """Three probes on a line of slope 0.8 through logits; zero-shot stands 12 points above it."""

    def shifted_by_line(base: float) -> float:
        return float(1 / (1 + np.exp(0.5 - 0.8 * np.log(base / (1 - base)))))

    shares = (0.5, 0.7, 0.9)
    probes = [
        answers(IMAGE_PROBE, shots, base, shifted_by_line(base)) for shots, base in zip((1, 4, 16), shares, strict=True)
    ]
    zero = answers(ZERO_SHOT, 0, 0.8, shifted_by_line(0.8) + 0.12)
    drawn = robustness.plane([*probes, zero], "s", seed=0)
    assert drawn.line == pytest.approx((-0.5, 0.8), abs=0.01)
    effective = drawn.points[-1].effective
    assert effective is not None
    assert effective.value == pytest.approx(0.12, abs=0.002)
    assert 0.08 < (effective.low or 0) < 0.12 < (effective.high or 0) < 0.16
    assert all(point.effective is None for point in drawn.points[:-1])
    without = robustness.plane([*probes[:2], zero], "s", seed=0)
    assert (without.line, without.points[-1].effective) == (None, None)


def test_the_line_is_scipys() -> None:
    rng = np.random.default_rng(0)
    base, there = rng.uniform(0.1, 0.9, (2, 5, 6))
    intercepts, slopes = robustness.fitted(base, there)
    for row in range(5):
        fit = linregress(robustness.logit(base[row]), robustness.logit(there[row]))
        assert (intercepts[row], slopes[row]) == pytest.approx((fit.intercept, fit.slope))


def test_the_interval_of_equivalent_shots() -> None:
    """On 400 images zero-shot stands where 4 shots do; without chance the interval would be a point."""
    rng = np.random.default_rng(0)
    curve = {shots: rng.random((10, 400)) < share for shots, share in ((1, 0.4), (4, 0.6), (16, 0.8))}
    interval = equivalent_interval(rng.random(400) < 0.6, curve, seed=0)
    assert 2 < (interval.low or 0) < (interval.value or 0) < (interval.high or 0) < 8
    beyond = equivalent_interval(np.ones(400, bool), curve, seed=0)
    assert (beyond.value, beyond.low, beyond.high) == (None, None, None)


def test_words_for_the_worth_of_zero_shot() -> None:
    cases = {(3.25, 1.0, None): "3.2 (at most 1 to more than 16)", (None, None, None): "more than 16"}
    for (value, low, high), text in cases.items():
        assert worth(Interval(value, low, high, 0.95, ""), 16) == text
