"""The paper's probe: fitted on train and validation, tested once; features before the projection; the command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve
from sklearn.multiclass import OneVsRestClassifier
from torch import nn

from apps.shell import run
from tests.workbench.probes.drawn_images import write_images
from workbench.datasets import ImageSample
from workbench.engine import Engine
from workbench.loading import load
from workbench.loading.features import with_features
from workbench.probes.embedding import ImageFeatures, embed_images, readable
from workbench.probes.evaluation import answered
from workbench.probes.labelled import TEST, TRAIN, VALIDATION, LabelledImages
from workbench.probes.linear import fitted_probe, mean_per_class, probe

CLASSES = ("cat", "rocket", "tree")


def made(n: int = 120, width: int = 12) -> tuple[np.ndarray, LabelledImages]:
    rng = np.random.default_rng(3)
    y = np.arange(n) % 3
    x = np.eye(3, width)[y] + rng.normal(0, 0.6, (n, width))
    parts = np.array([(TRAIN, TRAIN, VALIDATION, TEST)[number // 3 % 4] for number in range(n)])
    samples = tuple(ImageSample(str(number), Path("x")) for number in range(n))
    return x, LabelledImages(samples, CLASSES, y, parts, (TRAIN, VALIDATION, TEST), 0)


def test_the_protocol_step_by_step_with_scikit_learn() -> None:
    x, images = made()
    result = probe(x, images, solver="scikit-learn")
    train, validation, test = (images.rows(part) for part in (TRAIN, VALIDATION, TEST))
    for strength, score in result.sweep.points:
        fitted = LogisticRegression(C=1 / strength, max_iter=1000).fit(x[train], images.y[train])
        assert score == pytest.approx(fitted.score(x[validation], images.y[validation]))
    both = train | validation
    last = LogisticRegression(C=1 / result.strength, max_iter=1000).fit(x[both], images.y[both])
    assert result.accuracy.value == pytest.approx(last.score(x[test], images.y[test]))
    assert result.accuracy.n == int(test.sum())
    assert result.probabilities == pytest.approx(last.predict_proba(x))


def test_test_images_change_neither_penalty_nor_weights() -> None:
    x, images = made()
    before = probe(x, images)
    x = x.copy()
    x[images.rows(TEST)] = np.random.default_rng(0).normal(size=x[images.rows(TEST)].shape)
    after = probe(x, images)
    assert after.strength == before.strength
    assert after.model.coefficients == pytest.approx(before.model.coefficients)
    assert after.accuracy.value != before.accuracy.value


def test_the_mean_over_classes_gives_a_small_class_its_weight() -> None:
    right = np.array([True] * 9 + [False])
    assert mean_per_class(right, np.array([0] * 9 + [1]), seed=0).value == pytest.approx(0.5)


def test_pockets_features_lie_before_its_projection() -> None:
    model = load("pocket", device="cpu")
    pixels = torch.randint(0, 256, (2, 3, model.image_size, model.image_size), dtype=torch.uint8)
    rows, features = model.encode_features(pixels)
    assert rows == pytest.approx(model.encode_pixels(pixels), abs=1e-6)
    projected = features @ model.towers.module.visual_projection.weight.T
    assert nn.functional.normalize(projected, dim=1).detach() == pytest.approx(rows, abs=1e-5)
    assert features.shape == (2, 1280)


class _Visual(nn.Module):
    """open_clip's transformer in little: a projection that is a parameter, or none."""

    def __init__(self, projected: bool) -> None:
        super().__init__()
        self.proj = nn.Parameter(torch.arange(6.0).reshape(3, 2)) if projected else None

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        pooled = pixels.mean(dim=(2, 3))
        return pooled if self.proj is None else pooled @ self.proj


@pytest.mark.parametrize("projected", [True, False])
def test_a_projection_that_is_a_parameter_is_passed_by_and_put_back(projected: bool) -> None:
    module = nn.Module()
    module.visual = _Visual(projected)
    pixels = torch.rand(4, 3, 5, 5)
    rows, features = with_features(module, module.visual, pixels)
    assert torch.equal(rows, module.visual(pixels))
    assert torch.allclose(features, pixels.mean(dim=(2, 3)))
    assert (module.visual.proj is not None) == projected


def test_images_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    paths = write_images(tmp_path, CLASSES[:2], 5)
    paths[0].write_bytes(b"broken")
    samples = [ImageSample(path.name, path) for path in paths]
    parts = np.array([TRAIN, TRAIN, TRAIN, VALIDATION, TEST] * 2)
    images = LabelledImages(tuple(samples), CLASSES[:2], np.repeat([0, 1], 5), parts, (), 0)
    with Engine(default="fake") as engine, engine.session("test") as session:
        steps = list(embed_images(session, samples, chunk=4))
        whole = steps[-1]
        assert isinstance(whole, ImageFeatures)
        assert [step.done for step in steps[:-1]] == [4, 8, 10]
        assert list(whole.failed) == [0]
        assert whole.embeddings[1:] == pytest.approx(session.embed_images(paths[1:]).numpy(), abs=1e-6)
    rest, values = readable(images, whole)
    assert len(rest.samples) == len(values.features) == 9
    assert np.abs(values.embeddings).sum(axis=1).min() > 0


def test_the_command_prints_the_stable_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_images(tmp_path, CLASSES, 10, parts=("train", "train", "train", "test"))
    assert run(["probe", str(tmp_path), "--model", "pocket", "--json"]) == 0
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert {"accuracy", "low", "high", "n", "strength"} <= answer.keys()
    assert answer["low"] <= answer["accuracy"] <= answer["high"]
    assert answer["n"] == 6
    assert answer["sets"] == []  # three images cannot promise nine of ten
    assert answer["given"] == ["train", "test"]
    assert "18 train, 6 validation, 6 test" in err


def test_the_command_refuses_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["probe", str(tmp_path / "gone")]) == 2
    assert "no data" in capsys.readouterr().err
    assert run(["probe", str(tmp_path), "--solver", "sklearn"]) == 2
    assert "scikit-learn" in capsys.readouterr().err


def test_where_images_show_several_classes_the_penalty_is_chosen_by_their_map() -> None:
    x, images = made()
    shown = x[:, :3] + np.random.default_rng(4).normal(0, 0.4, (len(x), 3)) > 0.4
    images = replace(images, shown=shown)
    fitted, sweep = fitted_probe(x, images, solver="scikit-learn")
    train, validation, test = (images.rows(part) for part in (TRAIN, VALIDATION, TEST))
    for strength, score in sweep.points[::4]:
        theirs = OneVsRestClassifier(LogisticRegression(C=1 / strength, max_iter=1000)).fit(x[train], shown[train])
        assert score == pytest.approx(eleven_points(theirs.predict_proba(x[validation]), shown[validation]))
    assert sweep.strength in [strength for strength, score in sweep.points if score == max(dict(sweep.points).values())]
    last = OneVsRestClassifier(LogisticRegression(C=1 / sweep.strength, max_iter=1000))
    chances = last.fit(x[train | validation], shown[train | validation]).predict_proba(x[test])
    assert fitted.probabilities(x[test]) == pytest.approx(chances, abs=1e-6)
    answer = answered(chances, images, seed=0, metric="11-point mAP")
    assert answer.metric is not None
    assert answer.metric.value == pytest.approx(eleven_points(chances, shown[test]))
    assert (answer.metric.low or 0) < answer.metric.value < (answer.metric.high or 1)
    first = np.take_along_axis(shown[test], chances.argmax(axis=1)[:, None], axis=1)
    assert answer.accuracy.value == pytest.approx(first.mean())
    assert answer.per_class is None


def eleven_points(scores: np.ndarray, labels: np.ndarray) -> float:
    """11-point mAP from scikit-learn's curve, without the point of no image, which it adds."""
    means = []
    for column, truth in zip(scores.T, labels.T, strict=True):
        precision, recall, _ = precision_recall_curve(truth, column)
        means.append(np.mean([precision[:-1][recall[:-1] >= level / 10 - 1e-12].max() for level in range(11)]))
    return float(np.mean(means))
