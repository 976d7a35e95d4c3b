"""The view of many images: confusion the right way round, downloads that read back, plain sentences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apps.classify import evaluation, many_images
from workbench.batch.export import read_csv
from workbench.batch.run import Row
from workbench.batch.table import RowFilter
from workbench.batch.truth import evaluate
from workbench.reproduce import Setup

ROWS = (
    Row("=a.png", (("dog", 0.7, 0.3), ("cat", 0.3, 0.2))),
    Row("b.png", (("cat", 0.6, -0.1), ("dog", 0.4, -0.2))),
    Row("c.png", error="damaged"),
)
TRUTH = {"=a.png": "cat", "b.png": "cat"}
RESULT = many_images.BatchResult(ROWS, Setup("pocket", ("cat", "dog")), TRUTH, "f00")


def test_confusion_has_true_labels_in_rows() -> None:
    result = evaluate(ROWS, TRUTH, ("cat", "dog", "pig"))
    assert evaluation.confusion_rows(result) == [["cat", 1, 1], ["dog", 0, 0]]  # the pig occurs nowhere
    drawn = evaluation.confusion_figure(result)
    assert drawn.data[0].z.tolist() == [[1, 1], [0, 0]]
    assert {numbers.texttemplate for numbers in drawn.data[1:]} == {"%{z:.0f}"}  # counts are whole
    assert drawn.layout.yaxis.title.text == "true label"
    assert [line[:3] for line in evaluation.class_rows(result)] == [["cat", 2, 0.5]]


def test_downloads_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    csv_file, json_file = many_images.files(RESULT, RowFilter(label="dog"), 1)
    headers, lines = read_csv(csv_file)
    assert headers == ["file", "true label", "label 1", "probability 1", "cosine 1", "error", "model"]
    assert lines == [["=a.png", "cat", "dog", "0.7", "0.3", "", "pocket"]]
    everything = json.loads(Path(json_file).read_text())
    assert [entry["image"] for entry in everything["results"]] == ["=a.png", "b.png", "c.png"]
    assert everything["model"] == "pocket"


def test_sentences_count_and_escape() -> None:
    assert many_images.summary(ROWS, ("<b>.txt",)).startswith("**2 of 3** images classified. 1 could not be read")
    assert "<b>" not in many_images.summary(ROWS, ("<b>.txt",))
    assert evaluation.truth_of(ROWS, None, False) == ({}, "")


def test_nothing_is_shown_before_a_run() -> None:
    assert len(many_images.view(None, 3, label="any", at_least=0, only="all")) == 3
