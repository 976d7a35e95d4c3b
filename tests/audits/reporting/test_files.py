"""Files for other programs: CSV, Parquet, JSON by its schema, JUnit, Markdown, model card."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree as Tree

import pandas as pd
import pytest

from audits import comparing, reporting
from audits.reporting import _document
from tests.audits.reporting.conftest import HOSTILE
from tests.audits.reporting.made_run import make, sealed
from workbench.batch.export import restore
from workbench.errors import BadInput


def lines_of(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines()))


def test_the_csv_holds_the_metrics_table(hostile: Path, tmp_path: Path) -> None:
    out = reporting.write([hostile], tmp_path / "m.csv")
    lines = lines_of(out)
    table = pd.read_parquet(hostile / "metrics.parquet")
    assert lines[0] == list(table.columns)
    assert len(lines) == len(table) + 1
    at = lines[0].index("value")
    assert [float(line[at]) if line[at] else None for line in lines[1:]] == [
        None if pd.isna(value) else value for value in table["value"]
    ]


def test_no_cell_is_a_formula(hostile: Path, tmp_path: Path) -> None:
    folder = reporting.write([hostile], tmp_path / "csv")
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.csv"))
    assert files[-2:] == ["findings.csv", "metrics.csv"]
    assert "01-bias-face-attributes/figure-by-group.csv" in files
    names = [line[0] for line in lines_of(folder / "01-bias-face-attributes/figure-bars.csv")[1:]]
    assert names[2].startswith("'=cmd")
    assert [restore(name) for name in names] == list(HOSTILE.values())


def test_a_folder_is_written_again_but_never_over_strangers(run: Path, tmp_path: Path) -> None:
    folder = reporting.write([run], tmp_path / "csv")
    reporting.write([run], folder)
    (folder / "mine.csv").write_text("x", encoding="utf-8")
    with pytest.raises(BadInput, match=r"mine\.csv"):
        reporting.write([run], folder)
    assert (folder / "metrics.csv").is_file()


def test_parquet_holds_all_runs(run: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "other")
    table = pd.read_parquet(reporting.write([run, other], tmp_path / "m.parquet"))
    assert table["run_id"].value_counts().to_dict() == {"plain": 8, "other": 8}


def test_json_fulfils_the_shipped_schema(hostile: Path, tmp_path: Path) -> None:
    import jsonschema

    rules = {"rules": [{"id": "all", "metric": "accuracy", "label_set": "plain", "require": "ci_low >= 0.5"}]}
    result = comparing.gate(hostile, rules)
    output = json.loads(reporting.write([hostile], tmp_path / "r.json", gate=result).read_text(encoding="utf-8"))
    schema = json.loads(_document.SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(output, schema)
    assert schema == _document.schema(), "the shipped schema is not that of the code"
    metrics = output["runs"][0]["metrics"]
    assert metrics[0]["value"] == 174 / 240
    assert metrics[4]["slice"] == {"group": HOSTILE["D"]}
    assert metrics[-1]["value"] is None
    assert metrics[-1]["flags"] == ["undefined"]
    assert output["gate"]["outcome"] == "PASS"
    output["runs"][0]["metrics"][0]["value"] = "high"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(output, schema)


def test_json_has_null_for_what_is_no_number(tmp_path: Path) -> None:
    data = pd.DataFrame({"name": ["a", "b"], "value": [0.5, float("nan")]})
    run = make(tmp_path / "gaps")
    output = {"key": "f", "title": "t", "kind": "bars", "x": "", "y": "", "alt": "", "columns": list(data.columns)}
    rows = data.to_numpy(dtype=object).tolist()
    (run / "figures" / "f.json").write_text(json.dumps({**output, "rows": rows}), encoding="utf-8")
    sealed(run)
    text = reporting.write([run], tmp_path / "r.json").read_text(encoding="utf-8")
    figures = {one["key"]: one for one in json.loads(text, parse_constant=pytest.fail)["runs"][0]["figures"]}
    assert figures["f"]["rows"] == [["a", 0.5], ["b", None]]


def test_junit_says_how_the_runs_ended(run: Path, tmp_path: Path) -> None:
    broken = make(tmp_path / "broken", header={"status": "error", "error": "out of \x00 memory"})
    root = Tree.parse(reporting.write([run, broken], tmp_path / "r.xml")).getroot()
    assert (root.get("tests"), root.get("errors"), root.get("failures")) == ("2", "1", "0")
    result = root.find(".//error")
    assert result is not None
    assert result.get("message") == "out of ⟨U+0000⟩ memory"


def test_markdown_is_short_and_has_intervals(run: Path, tmp_path: Path) -> None:
    text = reporting.write([run], tmp_path / "pr.md").read_text(encoding="utf-8")
    assert "| bias/face-attributes | Accuracy (plain) | 72 % | 67 to 78 % | 240 |" in text
    assert "| bias/face-attributes | Accuracy, gap by group (plain) | 45 points | 29 to 59 points | 240 |" in text
    assert len(text.splitlines()) < 30


def test_markdown_obeys_no_name(hostile: Path, tmp_path: Path) -> None:
    from markdown_it import MarkdownIt

    text = reporting.write([hostile], tmp_path / "pr.md").read_text(encoding="utf-8")
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)
    assert "<script" not in html
    assert "<img" not in html
    assert "\u202e" not in html


def test_the_hub_reads_the_model_card(run: Path, tmp_path: Path) -> None:
    from huggingface_hub import ModelCard

    out = reporting.write([run], tmp_path / "m.card.md")
    card = ModelCard.load(out)
    results = card.data.eval_results
    assert results is not None
    assert [(one.metric_type, one.metric_value) for one in results] == [
        ("accuracy", 174 / 240),
        ("accuracy", 0.45),
        ("accuracy", 114 / 240),
    ]
    assert results[0].dataset_revision == "d" * 64
    assert "67 to 78 %, 95 % interval, n = 240" in str(results[0].metric_name)
    assert "do not endorse such use" in card.text
    assert "No evidence of a difference between A and B." in card.text


@pytest.mark.parametrize(
    ("reference", "public"),
    [
        ("csv:/home/someone/own/samples.csv", "csv:samples.csv"),
        ("folder:~/photos", "folder:photos"),
        ("hf:owner/name", "hf:owner/name"),
        ("builtin:drawn-things", "builtin:drawn-things"),
    ],
)
def test_the_model_card_names_no_folder_of_this_machine(tmp_path: Path, reference: str, public: str) -> None:
    run = make(tmp_path / "run", header={"dataset": {"key": reference}})
    text = reporting.write([run], tmp_path / "m.card.md").read_text(encoding="utf-8")
    assert f"type: {public}\n" in text
    assert "someone" not in text
