"""Evaluation against counts by hand; what cannot be scored is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.batch.run import Row
from workbench.batch.table import RowFilter, cells, headers, select
from workbench.batch.truth import evaluate, folder_truth, read_truth
from workbench.errors import BadInput, UnknownName

LABELS = ("cat", "dog", "pig")


def row(file: str, *order: str) -> Row:
    return Row(file, tuple((label, 0.9 / (rank + 1), 0.2) for rank, label in enumerate(order)), folder="f")


ROWS = (
    row("1.png", "cat", "dog", "pig"),
    row("2.png", "dog", "cat", "pig"),
    row("3.png", "dog", "pig", "cat"),
    row("4.png", "dog", "pig", "cat"),
    Row("5.png", error="damaged"),
    row("6.png", "pig", "cat", "dog"),
    row("7.png", "pig", "cat", "dog"),
)
TRUTH = {"1.png": "cat", "2.png": "cat", "3.png": "dog", "4.png": "cat", "5.png": "dog", "6.png": "fox"}


def test_counts_by_hand() -> None:
    result = evaluate(ROWS, TRUTH, LABELS)
    assert result.confusion.shape == (3, 3)
    assert result.confusion.tolist() == [[1, 2, 0], [0, 1, 0], [0, 0, 0]]  # rows are true labels
    assert (result.accuracy.value, result.accuracy.n) == (0.5, 4)
    assert (round(result.accuracy.low, 4), round(result.accuracy.high, 4)) == (
        0.0676,
        0.9324,
    )  # Clopper-Pearson, 2 of 4
    assert result.classes["cat"].value == pytest.approx(1 / 3)
    assert result.classes["pig"].n == 0
    assert result.classes["pig"].value is None  # not measured is not zero
    assert result.top5 is None
    assert (result.unknown, result.unlabelled, result.failed) == ({"fox": 1}, 1, 1)
    assert "'fox' (1)" in result.left_out()


def test_top_five_counts_the_fifth_and_not_the_sixth() -> None:
    names = tuple("abcdef")
    result = evaluate((row("1", *names), row("2", *names)), {"1": "e", "2": "f"}, names)
    assert result.top5 is not None
    assert (result.top5.value, result.top5.n, result.accuracy.value) == (0.5, 2, 0.0)


def test_no_common_label_names_both_sides() -> None:
    with pytest.raises(BadInput, match=r"True: fox.* Labels: cat, dog, pig"):
        evaluate(ROWS, {"1.png": "fox"}, LABELS)


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("name,label\na,b\n", UnknownName, "missing: file. Columns given: name, label"),
        ("file,label\nz.png,b\n", BadInput, r"names 'z\.png'"),
        ("file,label\n1.png\n", BadInput, "line 2 has 1"),
        ("file,label\n1.png,a\n1.png,b\n", BadInput, "two labels"),
    ],
)
def test_unusable_truth_says_what_is_there(tmp_path: Path, text: str, error: type[BadInput], match: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(error, match=match):
        read_truth(tmp_path / "t.csv", ["1.png"])


def test_truth_meets_short_names_where_they_are_clear(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "File,extra,Label\na.png,x,cat\nd/b.png,y,dog\ngone.png,z,pig\n", encoding="utf-8-sig"
    )
    truth, strangers = read_truth(tmp_path / "t.csv", ["d/a.png", "d/b.png", "e/b.png"])
    assert (truth, strangers) == ({"d/a.png": "cat", "d/b.png": "dog"}, 1)


def test_folders_are_labels_where_there_are_any() -> None:
    assert folder_truth(ROWS)["1.png"] == "f"
    with pytest.raises(BadInput, match="in none"):
        folder_truth([Row("a.png", error="x")])


def test_filters_and_cells() -> None:
    names = [entry.file for entry in select(ROWS, RowFilter(label="dog"))]
    assert names == ["2.png", "3.png", "4.png"]
    assert [entry.file for entry in select(ROWS, RowFilter(errors=True))] == ["5.png"]
    assert [entry.file for entry in select(ROWS, RowFilter(wrong=True), TRUTH)] == ["2.png", "4.png", "6.png"]
    assert select(ROWS, RowFilter(at_least=0.95)) == []
    assert len(select(ROWS, RowFilter())) == len(ROWS)
    with pytest.raises(BadInput, match="Only wrong"):
        select(ROWS, RowFilter(wrong=True))
    for k in (1, 2, 5):
        table = cells(ROWS, k, TRUTH)
        assert {len(line) for line in table} == {len(headers(k, truth=True))}
    assert cells(ROWS, 1, TRUTH)[0] == ["1.png", "cat", "cat", 0.9, 0.2, ""]
    assert cells(ROWS, 1, TRUTH)[4] == ["5.png", "dog", "", "", "", "damaged"]
