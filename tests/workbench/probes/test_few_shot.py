"""Few shots: what is drawn, intervals over seeds and images, equivalent shots by hand; answers within a second."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from workbench.datasets import ImageSample
from workbench.errors import BadInput
from workbench.probes.equivalent import equivalent_shots
from workbench.probes.few_shot import drawn_shots, few_shot, most_shots, over_draws
from workbench.probes.labelled import TEST, TRAIN, VALIDATION, LabelledImages


def made(each: int = 40, k: int = 5, width: int = 64, noise: float = 0.7) -> tuple[np.ndarray, LabelledImages]:
    rng, n = np.random.default_rng(0), each * k
    y = np.arange(n) % k
    x = np.eye(k, width)[y] * 2 + noise * rng.normal(size=(n, width))
    parts = np.array([(TRAIN, TRAIN, VALIDATION, TEST)[number // k % 4] for number in range(n)])
    classes = tuple(f"class {number}" for number in range(k))
    samples = tuple(ImageSample(str(number), Path("x")) for number in range(n))
    return x.astype(np.float32), LabelledImages(samples, classes, y, parts, (TRAIN, VALIDATION, TEST), 0)


def test_shots_are_drawn_class_by_class_and_never_from_the_test_images() -> None:
    _, images = made()
    fitted, judging = drawn_shots(images, 8, seed=3)
    assert np.bincount(images.y[fitted]).tolist() == [8] * 5
    assert np.bincount(images.y[judging]).tolist() == [4] * 5
    assert not set(fitted) & set(judging)
    assert not images.rows(TEST)[np.concatenate([fitted, judging])].any()
    assert (drawn_shots(images, 8, seed=3)[0] == fitted).all()
    assert (drawn_shots(images, 8, seed=4)[0] != fitted).any()


def test_more_shots_are_more_often_right_and_test_images_change_nothing_else() -> None:
    x, images = made(noise=1.2)
    one, sixteen = (few_shot(x, images, shots, seeds=4) for shots in (1, 16))
    assert one.right.shape == (4, 50)
    assert (one.accuracy.value or 0) + 0.1 < (sixteen.accuracy.value or 0)
    again = x.copy()
    again[images.rows(TEST)] = again[images.rows(TEST)][::-1]
    assert (few_shot(again, images, 1, seeds=4).right[:, ::-1] == (one.right == 1)).any()


def test_shots_that_are_not_there_are_refused() -> None:
    x, images = made(each=8)
    assert most_shots(images) == 5
    with pytest.raises(BadInput, match="1 to 5"):
        few_shot(x, images, 6)


def test_the_interval_covers_both_sources_of_chance() -> None:
    """Rows that agree leave the images' chance, columns that agree the draws'; both are Student's intervals."""
    rng = np.random.default_rng(1)
    same_rows = np.tile(rng.random(400) < 0.5, (10, 1))
    spread = over_draws(same_rows)
    assert (spread.high or 0) - (spread.low or 0) == pytest.approx(2 * 1.96 * (0.25 / 400) ** 0.5, rel=0.1)
    same_columns = np.repeat(np.arange(10)[:, None] % 2 == 0, 400, axis=1)
    spread = over_draws(same_columns)
    assert (spread.high or 0) - (spread.low or 0) == pytest.approx(2 * 2.262 * (0.25 / 9) ** 0.5, rel=0.01)


def test_where_all_drawings_are_right_the_images_bound_the_share() -> None:
    """24 of 24: Clopper-Pearson's lower bound is 0.025 to the power of 1/24."""
    spread = over_draws(np.ones((5, 24), bool))
    assert (spread.value, spread.high) == (1.0, 1.0)
    assert spread.low == pytest.approx(0.025 ** (1 / 24))


def test_equivalent_shots_by_hand() -> None:
    curve = {1: 0.4, 4: 0.6, 16: 0.8}
    assert equivalent_shots(0.7, curve) == pytest.approx(8.0)  # half of the way from 4 to 16, in logarithms
    assert equivalent_shots(0.3, curve) == 1.0
    assert equivalent_shots(0.9, curve) is None


def test_another_seed_is_answered_within_a_second() -> None:
    """Ten classes, ten seeds, 16 shots, features as wide as the shipped model's."""
    x, images = made(each=40, k=10, width=1280)
    few_shot(x, images, 1, seeds=1)
    began = time.process_time()
    few_shot(x, images, 16, seeds=10, seed=5)
    assert time.process_time() - began < 1.0
