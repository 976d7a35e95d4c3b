"""Accuracy by names, few images and a probe: a planted gain comes back with its size; none is found where none is."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

from audits.accuracy.analyse import mean_per_class
from audits.analysis import Analysis
from audits.datasets import moved_drawings
from audits.datasets.drawn import write_pictures
from tests.audits.planted import dataset, embedded, find, one_hot, protocol, stages_of
from workbench.datasets.folders import read_folder
from workbench.probes import by_cluster
from workbench.probes.labelled import by_part

accuracy = stages_of("accuracy")

LABELS = ("cat", "dog")
N = 400


@functools.cache
def planted(right: float, hidden: float) -> tuple[Analysis, object]:
    """Names are right for a share of the images; another direction, which no name has, tells the classes apart.

    Args:
        right: share of images that lie nearer to the true name.
        hidden: length of the direction that only a probe can use.
    """
    rng = np.random.default_rng(0)
    labels = [LABELS[at % 2] for at in range(N)]
    sign = np.array([1.0 if label == "cat" else -1.0 for label in labels])
    seen = np.where(rng.permutation(N) < right * N, sign, -sign)
    images = np.stack([1 + 0.2 * seen, 1 - 0.2 * seen, hidden * sign, 0.05 * rng.normal(size=N)], axis=1)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    data, rules = dataset(labels), protocol("accuracy", {"shots": [1, 4, 1000], "seeds": 5})
    planted = embedded(data, images, one_hot(LABELS, 4))
    samples = accuracy.score(planted, rules, seed=0)
    return accuracy.analyse(samples, rules, model=planted.model, seed=0), samples


def test_what_only_a_probe_can_use_comes_back_as_its_gain() -> None:
    analysis, samples = planted(0.5, 1.0)
    ways = list(dict.fromkeys(samples["label_set"]))  # type: ignore[index]
    assert ways == ["zero-shot", "1 shot", "4 shots", "probe"]  # there are no 1,000 images a class
    rows = {m.label_set: m for m in analysis.measures if m.metric == "accuracy" and not m.slice}
    assert rows["probe"].value == 1.0
    assert rows["zero-shot"].n == sum(by_cluster.testing(["test"] * N, [f"s{at:04d}" for at in range(N)]))
    gain = next(m for m in analysis.measures if (m.metric, m.label_set) == ("gain", "probe"))
    assert gain.value == pytest.approx(1.0 - (rows["zero-shot"].value or 0))
    assert 0.4 < (gain.ci_low or 0) < (gain.value or 0) < (gain.ci_high or 0) < 0.6
    errors = [m for m in analysis.measures if m.metric == "ece"]  # each with its chance value and its corrected test
    assert [(m.label_set, m.ci_low, m.n_tests) for m in errors] == [("zero-shot", None, 2), ("probe", None, 2)]
    assert 0 < errors[0].null_mean < errors[0].null_q95  # type: ignore[operator]
    texts = [one.text for one in analysis.findings if one.strength == "found"]
    assert any("probe raises accuracy over zero-shot by" in text for text in texts)


def test_no_gain_is_found_where_names_say_all() -> None:
    analysis, _ = planted(0.8, 0.0)
    probe = next(one for one in analysis.findings if "probe" in one.text)
    assert probe.strength in ("equivalent", "no evidence")
    per_class = next(m for m in analysis.measures if (m.metric, m.label_set) == ("accuracy_per_class", "zero-shot"))
    assert per_class.value == pytest.approx(0.8, abs=0.08)


def test_classes_with_too_few_images_leave_zero_shot_alone() -> None:
    data = dataset(["cat", "dog"] * 2)
    rules = protocol("accuracy", {"shots": [1], "seeds": 2})
    images = np.eye(2)[[0, 1, 0, 1]]
    here = embedded(data, images, one_hot(LABELS))
    samples = accuracy.score(here, rules, seed=0)
    assert set(samples["label_set"]) == {"zero-shot"}
    analysis = accuracy.analyse(samples, rules, model=here.model, seed=0)
    assert "too few images" in analysis.sanity[0]
    assert find(analysis, "accuracy").value == 1.0


def test_the_mean_over_classes_by_hand() -> None:
    rows = np.array([[1, 0], [0, 0], [1, 0], [1, 0], [0, 1]], float)
    assert mean_per_class(rows) == pytest.approx((0.75 + 0.0) / 2)


def test_the_built_in_drawings_have_train_and_test_images_of_each_thing(tmp_path: Path) -> None:
    folder = tmp_path
    write_pictures(folder, moved_drawings.pictures())
    lines = (folder / "samples.csv").read_text().splitlines()
    assert len(lines) == 1 + 8 * 24
    assert sum(",test,cat" in line for line in lines) == 6
    for line in lines[1:]:
        name, path, _, split, label = line.split(",")
        place = folder / split / label
        place.mkdir(parents=True, exist_ok=True)
        (folder / path).rename(place / f"{name}.png")
    (folder / "samples.csv").unlink()
    listing = by_part(read_folder(folder))
    assert {(sample.label, sample.attributes["split"]) for sample in listing.samples} == {
        (label, split) for label in moved_drawings.DRAWN for split in ("train", "test")
    }
