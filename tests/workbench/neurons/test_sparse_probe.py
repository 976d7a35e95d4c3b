"""Sparse probes against planted units, all subsets, scikit-learn's own probe and its L1 path."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression

from tests.workbench.neurons.planted_units import CONCEPTS, FORMS, SIDE, UNITS, planted
from workbench.datasets import ImageSample
from workbench.errors import BadInput, UnknownName
from workbench.neurons.sparse_probe import LabelledUnits, chosen_units, labelled_units, sparse_probe
from workbench.probes.labelled import LabelledImages


def made(*, images: int = 240, units: int = 30, seed: int = 0) -> LabelledUnits:
    """Class b raises unit 7 much and unit 11 less; unit 3 follows unit 7; all else is noise."""
    generator = np.random.default_rng(seed)
    y = (np.arange(images) % 4 == 0).astype(np.intp)
    values = generator.normal(0, 1, (images, units))
    values[:, 7] += 2.5 * y
    values[:, 11] += 1.5 * y
    values[:, 3] = values[:, 7] + generator.normal(0, 1, images)
    values[:, 5] = 2.0  # never changes
    train = generator.permutation(images) < images * 2 // 3
    return LabelledUnits("planted", values.astype(np.float32), ("a", "b"), y, train, seed)


def test_planted_units_are_chosen_first_and_chance_stays_chance() -> None:
    probe = sparse_probe(made(), "b", counts=(1, 2, 8))
    assert [row.units[:2] for row in probe.rows] == [(7,), (7, 11), (7, 11)]
    assert all(5 not in row.units for row in probe.rows)
    assert all(weight > 0 for weight in probe.rows[1].weights)
    assert probe.rows[1].area.value > probe.rows[0].area.value > 0.9  # type: ignore[operator]
    assert len(probe.by_chance) == 10
    assert min(probe.by_chance) < 0.5 < max(probe.by_chance) < probe.rows[0].accuracy.value  # type: ignore[operator]
    assert (probe.images, probe.others, probe.held_out) == (60, 180, 80)
    even = 2 * int((made().y[~made().train] == 1).sum())
    assert {row.accuracy.n for row in (*probe.rows, probe.every_unit)} == {even}


def test_a_row_is_scikit_learns_probe_on_these_units() -> None:
    units = made()
    probe = sparse_probe(units, "b", counts=(2,))
    x = units.values[:, probe.rows[0].units]
    x = (x - x[units.train].mean(axis=0)) / x[units.train].std(axis=0)
    model = LogisticRegression(class_weight="balanced").fit(x[units.train], units.y[units.train])
    assert probe.rows[0].weights == pytest.approx(model.coef_[0], abs=1e-4)
    output = model.predict(x[~units.train])
    truth = units.y[~units.train]
    of_class, of_others = (output == truth)[truth == 1], (output == truth)[truth == 0]
    assert probe.rows[0].accuracy.n == 2 * len(of_class)
    high = of_class.sum() + min(of_others.sum(), len(of_class))
    assert probe.rows[0].accuracy.value <= high / (2 * len(of_class))  # type: ignore[operator]


def test_greedy_finds_the_best_pair_of_all_pairs_and_the_l1_path_agrees() -> None:
    shows = np.arange(400) % 4 == 0
    values = np.random.default_rng(1).normal(0, 1, (400, 9))
    values[:, 2] += 2 * shows
    values[:, 6] += 1.4 * shows
    weight = np.where(shows, 0.5 / shows.sum(), 0.5 / (~shows).sum())

    def loss(pair: tuple[int, ...]) -> float:
        model = LogisticRegression(class_weight="balanced").fit(values[:, pair], shows)
        likely = model.predict_proba(values[:, pair])[np.arange(len(shows)), shows.astype(int)]
        return float(-(weight * np.log(likely)).sum())

    best = min(itertools.combinations(range(9), 2), key=loss)
    chosen = chosen_units(values, shows, count=2)
    assert set(chosen) == set(best) == {2, 6}
    path = LogisticRegression(l1_ratio=1.0, solver="liblinear", C=0.01, class_weight="balanced").fit(values, shows)
    assert set(np.flatnonzero(path.coef_[0]).tolist()) <= set(best)


def test_no_held_out_image_is_seen_while_units_are_chosen() -> None:
    units = made()
    spoiled = units.values.copy()
    spoiled[~units.train, 20] = 100 * units.y[~units.train]  # gives the class away, on held-out images alone
    first, second = sparse_probe(units, "b"), sparse_probe(units._replace(values=spoiled), "b")
    assert [row.units for row in first.rows] == [row.units for row in second.rows]


def test_what_cannot_be_probed_is_refused() -> None:
    with pytest.raises(UnknownName, match="b"):
        sparse_probe(made(), "c")
    for counts in ((), (0,)):
        with pytest.raises(BadInput, match="one unit"):
            sparse_probe(made(), "b", counts=counts)
    few = made(images=16)
    with pytest.raises(BadInput, match="at least 4"):
        sparse_probe(few, "b")


def test_the_tower_is_asked_about_labelled_images_and_its_planted_unit_decides(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    samples, y = [], []
    for number in range(72):
        concept = number % 3
        image = np.zeros((SIDE, SIDE, 3), np.uint8)
        image[:16, :16] = (10 * concept, 50 * (number % len(FORMS)), 0)
        image[16:, :, 2] = generator.integers(20, 250)
        path = tmp_path / f"{number}.png"
        Image.fromarray(image).save(path)
        samples.append(ImageSample(path.name, path, CONCEPTS[concept]))
        y.append(concept)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    samples.append(ImageSample(broken.name, broken, CONCEPTS[0]))
    parts = np.array(["test" if number % 4 == 0 else "train" for number in range(73)])
    images = LabelledImages(tuple(samples), CONCEPTS[:3], np.array([*y, 0]), parts, (), 0)
    *_, units = labelled_units(planted(), images, "last")
    assert isinstance(units, LabelledUnits)
    assert units.values.shape == (72, UNITS)
    assert units.y.shape == units.train.shape == (72,)
    assert units.train.dtype == bool
    assert int(units.train.sum()) == 54
    probe = sparse_probe(units, CONCEPTS[1], counts=(1,))
    assert probe.rows[0].units == (1,)
    assert probe.rows[0].accuracy.value == 1.0
