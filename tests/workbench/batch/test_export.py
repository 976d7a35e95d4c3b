"""CSV cells that no spreadsheet runs, restored exactly; JSON that loses no bit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.batch.export import neutralise, read_csv, restore, to_json, write_csv, write_json
from workbench.batch.run import Row
from workbench.errors import BadInput

NASTY = st.lists(st.sampled_from([*"=+-@\t\r\n'\"ab, ＝\u00a0\ufeff\u200b"]), max_size=6).map("".join)
CELLS = st.one_of(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), NASTY)  # the reader refuses NUL


@given(CELLS)
def test_text_is_harmless_and_restored(cell: str) -> None:
    written = neutralise(cell)
    assert restore(written) == cell
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))
    bare = written.lstrip(' "\n\u00a0\ufeff\u200b')
    assert not bare.startswith(("=", "+", "-", "@", "＝"))


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1", '"=1', "' =1", "＝1", "\ufeff=1"])
def test_each_kind_of_formula_gets_an_apostrophe(cell: str) -> None:
    assert neutralise(cell) == f"'{cell}"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_a_table_comes_back(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    write_csv(tmp_path / "table.csv", ["file", "=label"], rows)
    headers, lines = read_csv(tmp_path / "table.csv")
    assert headers == ["file", "=label"]
    assert lines == [list(row) for row in rows]
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_negative_numbers_stay_numbers(tmp_path: Path) -> None:
    write_csv(tmp_path / "table.csv", ["cosine"], [[-0.25]])
    assert read_csv(tmp_path / "table.csv")[1] == [["-0.25"]]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_json_is_exact(number: float) -> None:
    entry = to_json([Row("a.png", (("cat", number, -number),))], {"a.png": "dog"})
    assert json.loads(json.dumps(entry)) == [
        {"image": "a.png", "labels": [{"label": "cat", "probability": number, "cosine": -number}], "truth": "dog"}
    ]


def test_not_a_number_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", [float("nan")])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b'a,"b', b"x" * 5_000_001])
def test_what_is_no_csv_is_said(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "truth.csv").write_bytes(data)
    with pytest.raises(BadInput, match=r"truth\.csv"):
        read_csv(tmp_path / "truth.csv")
