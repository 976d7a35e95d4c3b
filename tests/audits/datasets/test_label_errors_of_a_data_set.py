"""Label errors of a data set before its audit: a planted one is named, what cannot be checked is counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audits.datasets import readers
from audits.datasets.label_errors import LabelCheck, label_errors
from audits.shell import main
from tests.workbench.probes.drawn_images import write_images
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.probes.label_errors import named
from workbench.probes.label_errors import suspects as by_hand
from workbench.progress import Progress

VALIDATE = ("validate", "dataset")


@pytest.fixture
def drawn(tmp_path: Path, own_home: Path) -> Path:
    """Cats, dogs and cars, one more cat among the cars, and one tree."""
    folder = tmp_path / "data"
    paths = write_images(folder, ("cat", "dog", "car"), 12)
    write_images(folder, ("tree",), 1)
    wrong = folder / "car" / "wrong.png"
    wrong.write_bytes(paths[1].read_bytes())
    return folder


def test_a_planted_error_is_named_in_text_and_json(drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*VALIDATE, f"folder:{drawn}", "--label-errors", "--json"]) == 0
    check = json.loads(capsys.readouterr().out)["label_errors"]
    first = check["suspects"][0]
    assert (first["path"], first["given"], first["suggested"]) == ("car/wrong.png", "car", "cat")
    assert set(first) == {"path", "given", "suggested", "probability"}
    assert (check["checked"], check["classes"], check["column"], check["seed"]) == (37, 3, "label", 0)
    assert check["left_out"] == [["tree/000.png", "the only image of its label"]]
    assert "does not mean that all labels are right" in check["limits"]
    assert main([*VALIDATE, f"folder:{drawn}", "--label-errors"]) == 0
    out = capsys.readouterr().out
    assert f"{len(check['suspects'])} of 37 labels are suspect" in out
    assert "car/wrong.png: car, rather cat" in out
    assert "not checked: 1 images" in out


def test_the_check_goes_through_the_engine_with_progress(drawn: Path) -> None:
    """An attribute can be checked too; its numbers are those of the probes' own functions."""
    table = drawn / "samples.csv"
    rows = [f"{kind}/{at:03}.png,{kind},{'x' if at else ''}" for kind in ("cat", "dog") for at in range(9)]
    table.write_text("path,kind,rare\n" + "\n".join(rows), encoding="utf-8")
    result = readers.read(f"csv:{table}")
    with Engine(default="pocket") as engine, engine.session("test") as session:
        *steps, check = label_errors(result, session, column="kind", seed=3)
        with pytest.raises(BadInput, match="two classes or more"):
            next(label_errors(result, session, column="rare"))
        with pytest.raises(BadInput, match="no column 'race'; it has: label, kind, rare"):
            next(label_errors(result, session, column="race"))
    assert isinstance(check, LabelCheck)
    assert all(isinstance(step, Progress) for step in steps)
    assert [step.stage for step in steps] == ["embed", "fit", "fit"]
    assert steps[0].done == steps[0].total == check.checked == 18
    assert (check.column, check.seed, check.folds, check.left_out) == ("kind", 3, 5, ())


def test_names_follow_the_order_of_the_suspects() -> None:
    import numpy as np

    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7], [0.8, 0.2]])
    chosen = by_hand(probabilities, np.array([0, 0, 0, 1, 1, 1]))
    assert [(one.path, one.given, one.suggested) for one in named(chosen, list("abcdef"), ("cat", "dog"))] == [
        ("c", "cat", "dog"),
        ("f", "dog", "cat"),
    ]


def test_only_data_sets_have_labels(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "suite", "quick", "--label-errors"]) == 2
    assert "validate dataset NAME" in capsys.readouterr().err
