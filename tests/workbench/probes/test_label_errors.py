"""Label errors: the confident joint by hand, planted flips come back, folds never see their own images; duplicates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.shell import run
from tests.workbench.probes.drawn_images import write_images
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.probes.duplicates import duplicates, thumbnail
from workbench.probes.embedding import ImageFeatures, embed_images
from workbench.probes.label_errors import (
    confident_joint,
    drawn_folds,
    out_of_sample,
    recall_and_precision,
    suspects,
)
from workbench.probes.labelled import read_labelled

THINGS = ("cat", "dog", "car", "tree", "pizza", "guitar", "key", "house", "rocket", "banana")
BY_HAND = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7], [0.8, 0.2]])
GIVEN = np.array([0, 0, 0, 1, 1, 1])


def test_the_confident_joint_by_hand() -> None:
    """Thresholds: mean of .9 .7 .2 is .6 for class 0; mean of .9 .7 .2 is .6 for class 1."""
    assert confident_joint(BY_HAND, GIVEN) == pytest.approx(np.array([[2, 1], [1, 2]]))


def test_a_class_counts_from_its_own_mean_on() -> None:
    """Thresholds .75 and .8: the third image, at .55, is not sure enough of class 1 to count as an error."""
    unsure = np.array([[0.9, 0.1], [0.9, 0.1], [0.45, 0.55], [0.2, 0.8], [0.2, 0.8], [0.2, 0.8]])
    assert confident_joint(unsure, GIVEN) == pytest.approx(np.array([[3, 0], [0, 3]]))


def test_the_suspects_by_hand() -> None:
    """Image 2 is 0.8 the other class, image 5 likewise: equal self-confidence, so the first comes first."""
    result = suspects(BY_HAND, GIVEN)
    assert [(one.number, one.given, one.suggested) for one in result] == [(2, 0, 1), (5, 1, 0)]
    assert result[0].probability == pytest.approx(0.8)


def test_clean_labels_have_no_suspects() -> None:
    sure = np.array([[0.9, 0.1]] * 4 + [[0.1, 0.9]] * 4)
    assert suspects(sure, np.repeat([0, 1], 4)) == []


def test_probabilities_are_out_of_sample() -> None:
    """Labels of pure noise cannot be guessed from features that a fitted probe would learn by heart."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 200)), np.arange(60) % 2
    probabilities, _ = out_of_sample(x, y, seed=0)
    assert 0.25 < (probabilities.argmax(axis=1) == y).mean() < 0.75
    fold = drawn_folds(y, 5, seed=0)
    assert np.bincount(fold).tolist() == [12] * 5 or np.ptp(np.bincount(fold)) <= 2
    with pytest.raises(BadInput, match="two images"):
        out_of_sample(x[:3], np.array([0, 0, 1]), seed=0)


def test_planted_flips_among_made_features_come_back() -> None:
    rng = np.random.default_rng(1)
    true = np.arange(400) % 4
    x = np.eye(4, 20)[true] * 3 + rng.normal(size=(400, 20))
    flipped = rng.choice(400, 20, replace=False)
    y = true.copy()
    y[flipped] = (true[flipped] + 1 + rng.integers(3, size=20)) % 4
    probabilities, _ = out_of_sample(x, y, seed=0)
    result = suspects(probabilities, y)
    recall, precision = recall_and_precision([one.number for one in result], flipped.tolist())
    assert recall >= 0.8
    assert precision >= 0.8
    right = [one.suggested == true[one.number] for one in result if one.number in flipped]
    assert np.mean(right) >= 0.9


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_five_per_cent_of_flipped_labels_among_two_thousand_drawings(tmp_path: Path) -> None:
    write_images(tmp_path, (*THINGS, "bicycle", "penguin", "umbrella", "mushroom", "castle", "snail", "crown", "ship",
                            "candle", "rose"), 100)  # fmt: skip
    images = read_labelled(str(tmp_path))
    with Engine(default="pocket") as engine, engine.session("test") as session:
        *_, made = embed_images(session, images.samples)
    assert isinstance(made, ImageFeatures)
    rng = np.random.default_rng(0)
    flipped = rng.choice(2000, 100, replace=False)
    y = images.y.copy()
    y[flipped] = (y[flipped] + 1 + rng.integers(19, size=100)) % 20
    probabilities, _ = out_of_sample(made.features, y, seed=0)
    result = suspects(probabilities, y)
    recall, precision = recall_and_precision([one.number for one in result], flipped.tolist())
    assert recall >= 0.7
    assert precision >= 0.7


def test_planted_leaks_are_found_and_other_images_are_not(tmp_path: Path) -> None:
    paths = write_images(tmp_path, THINGS[:4], 6)
    pictures = [Image.open(path).convert("RGB") for path in paths]
    again = [pictures[1], pictures[8].resize((70, 70), Image.Resampling.BICUBIC)]  # a copy, and one saved smaller
    whole = [*pictures, *again]
    with Engine(default="pocket") as engine, engine.session("test") as session:
        rows, _ = session.embed_features(whole)
    small = np.stack([thumbnail(one) for one in whole])
    result = duplicates(rows.numpy(), small)
    assert [(one.first, one.second) for one in result] == [(1, 24), (8, 25)]
    test = np.arange(26) >= 24
    assert [(one.first, one.second) for one in duplicates(rows.numpy(), small, among=test, beside=~test)] == [
        (1, 24),
        (8, 25),
    ]
    assert not thumbnail(Image.new("RGB", (9, 9), "red")).any()


def test_the_command_prints_suspects_and_names_leaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = write_images(tmp_path, THINGS[:3], 16, parts=("train", "train", "train", "test"))
    wrong = tmp_path / "train" / "car" / "wrong.png"
    wrong.write_bytes(paths[0].read_bytes())  # a cat among the cars, and the same cat among the cats
    copy = tmp_path / "test" / "dog" / "copy.png"
    copy.write_bytes(next(path for path in paths if path.parts[-3:-1] == ("train", "dog")).read_bytes())
    assert run(["labels", str(tmp_path), "--json"]) == 0
    out, err = capsys.readouterr()
    first = json.loads(out)[0]
    assert set(first) == {"path", "given", "suggested", "probability"}
    assert (first["path"], first["given"], first["suggested"]) == ("train/car/wrong.png", "car", "cat")
    assert "1 of them join train and test" in err
    assert "test/dog/copy.png" in err


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_joint_and_the_suspects_are_cleanlabs(seed: int) -> None:
    """Confident joint and prune by noise rate of the authors' own library, on noisy labels of four classes."""
    from cleanlab.count import compute_confident_joint
    from cleanlab.filter import find_label_issues

    rng = np.random.default_rng(seed)
    truth = rng.integers(4, size=600)
    logits = 2.2 * np.eye(4)[truth] + rng.normal(size=(600, 4))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    given = np.where(rng.random(600) < 0.12, rng.integers(4, size=600), truth)
    assert np.rint(confident_joint(chances, given)) == pytest.approx(compute_confident_joint(given, chances), abs=1)
    theirs = find_label_issues(
        given, chances, filter_by="prune_by_noise_rate", return_indices_ranked_by="self_confidence", n_jobs=1
    )
    ours = [one.number for one in suspects(chances, given)]
    assert len(set(ours) & set(theirs)) / len(set(ours) | set(theirs)) > 0.9  # they differ by roundings of the joint
    flipped = np.flatnonzero(given != truth)
    gap = [recall_and_precision(list(one), list(flipped)) for one in (ours, theirs)]
    assert gap[0] == pytest.approx(gap[1], abs=0.04)
