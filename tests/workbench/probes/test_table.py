"""The table of models: zero-shot as `classify` answers, dropped models, images that fail, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from apps.shell import run
from tests.workbench.probes.drawn_images import write_images
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.probes.evaluation import PROBE, ZERO_SHOT, ModelEvaluation, Ways
from workbench.probes.labelled import TEST, read_labelled
from workbench.probes.table import EmbeddedImages, EvaluationRequest, answers, embed_all, ranked
from workbench.zeroshot import classify

THINGS = ("cat", "rocket", "pizza", "tree")
QUICK = Ways(shots=(1, 2, 64), seeds=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("drawn")
    write_images(place, THINGS, 16)
    return place


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(default="pocket")


def test_zero_shot_is_what_classify_answers_and_columns_come_one_by_one(folder: Path, engine: Engine) -> None:
    images = read_labelled(str(folder))
    *steps, embedded = embed_all(engine, EvaluationRequest(images, ("pocket",), QUICK), owner="test")
    assert isinstance(embedded, EmbeddedImages)
    assert [step.done for step in steps] == [32, 64]  # type: ignore[union-attr]
    *rest, row = answers(embedded, QUICK)
    assert [list(one.answers)[-1] for one in (*rest, row)] == [ZERO_SHOT, "1 shot", "2 shots", PROBE]
    tested = [sample for sample, there in zip(images.samples, images.rows(TEST), strict=True) if there]
    with engine.session("test", "pocket") as session:
        answer = classify(session, [sample.open() for sample in tested], images.classes)
    right = answer.probabilities.argmax(dim=1).numpy() == images.y[images.rows(TEST)]
    assert row.answers[ZERO_SHOT].accuracy.value == pytest.approx(right.mean())
    assert (row.answers[ZERO_SHOT].right == right).all()
    assert row.seconds is not None
    assert row.megabytes == pytest.approx(57.6, abs=1)


def test_a_model_far_behind_is_dropped_and_says_why(folder: Path, engine: Engine) -> None:
    question = EvaluationRequest(read_labelled(str(folder)), ("pocket", "fake"), QUICK, early=True)
    steps = list(embed_all(engine, question, owner="test"))
    (dropped,) = [step for step in steps if isinstance(step, ModelEvaluation)]
    assert (dropped.model, "below the leader" in dropped.dropped) == ("fake", True)
    embedded = steps[-1]
    assert isinstance(embedded, EmbeddedImages)
    assert list(embedded.made) == ["pocket"]
    rows = list({row.model: row for row in answers(embedded, QUICK)}.values())
    assert list(ranked(rows, ZERO_SHOT)) == ["pocket"]


def test_rounds_and_one_pass_give_equal_rows(folder: Path, engine: Engine) -> None:
    images = read_labelled(str(folder))
    whole, staged = (
        list(embed_all(engine, EvaluationRequest(images, ("pocket",), QUICK, early=early), owner="test"))[-1]
        for early in (False, True)
    )
    assert isinstance(whole, EmbeddedImages)
    assert isinstance(staged, EmbeddedImages)
    assert np.allclose(whole.made["pocket"].features, staged.made["pocket"].features)
    with engine.session("test", "pocket") as session:
        straight, _ = session.embed_features([sample.open() for sample in images.samples])
    assert np.allclose(whole.made["pocket"].embeddings, straight.numpy())


@pytest.mark.parametrize(("models", "by"), [((), ZERO_SHOT), (("fake", "fake"), ZERO_SHOT), (("fake",), "best")])
def test_a_question_that_makes_no_sense_is_refused(folder: Path, models: tuple[str, ...], by: str) -> None:
    question = EvaluationRequest(read_labelled(str(folder)), models, QUICK, by)
    with Engine(default="fake") as engine, pytest.raises(BadInput):
        next(embed_all(engine, question, owner="test"))


def test_the_command_prints_one_row_a_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", str(folder), "--models", "pocket,fake", "--shots", "1", "--seeds", "2", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["model"], second["model"]) == ("pocket", "fake")
    assert set(first["columns"]) == {"zero-shot", "1 shot", "probe"}
    assert first["verdict"] == "the best"
    assert (second["difference_in"], second["difference_to"]) == ("accuracy of probe", "pocket")
    assert second["verdict"] == "below the best"
    assert second["difference_low"] <= second["difference"] <= second["difference_high"] < 0
    assert run(["evaluate", str(folder), "--models", "pockt"]) == 2
    assert run(["evaluate", str(folder), "--shots", "many"]) == 2
