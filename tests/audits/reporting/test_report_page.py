"""The HTML report: its numbers are the table's, its order is fixed, nothing in it comes from outside."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from audits import comparing, reporting
from audits.analysis import Figure
from audits.errors import Tampered
from audits.reporting import _html, writing
from audits.reporting._numbers import MISSING
from audits.reporting._tables import blocks
from tests.audits.reporting.made_run import make, row, sealed
from workbench.errors import BadInput, UnknownName

ORDER = ("verdict", "tested", "findings", "audit-1", "provenance", "words", "glossary")


class Tables(HTMLParser):
    """All tables: caption, and of each row the cells with their text and exact value."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[tuple[str, list[list[tuple[str, float | None]]]]] = []
        self.into: str = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self.tables.append(("", []))
        elif tag == "tr" and self.tables:
            self.tables[-1][1].append([])
        elif tag in ("td", "th") and self.tables:
            exact = given.get("data-v")
            self.tables[-1][1][-1].append(("", float(exact) if exact else None))
            self.into = "cell"
        elif tag == "caption":
            self.into = "caption"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "caption"):
            self.into = ""

    def handle_data(self, data: str) -> None:
        if self.into == "caption":
            self.tables[-1] = (self.tables[-1][0] + data, self.tables[-1][1])
        elif self.into == "cell":
            text, exact = self.tables[-1][1][-1][-1]
            self.tables[-1][1][-1][-1] = (text + data, exact)


def page(run: Path, tmp_path: Path, **options: Any) -> str:
    return reporting.write([run], tmp_path / "report.html", **options).read_text(encoding="utf-8")


def number(text: str) -> float:
    return float(re.sub(r"[^\d.−-]", "", text).replace("−", "-"))


def test_each_number_of_the_page_is_that_of_the_table(run: Path, tmp_path: Path) -> None:
    text = page(run, tmp_path)
    measured = [rows for _, rows in Tables(text).tables if rows[0][0][0] == "Group"]
    shown = [cells for rows in measured for cells in rows[1:]]
    table = pd.read_parquet(run / "metrics.parquet")
    assert len(shown) == len(table)
    blocks = {"accuracy|none|plain": 0, "accuracy|between_groups|plain": 1, "accuracy|none|loaded": 2, "skew|none|": 3}
    table["at"] = (table["metric"] + "|" + table["contrast"] + "|" + table["label_set"]).map(blocks)
    for cells, (_, output) in zip(shown, table.sort_values("at", kind="stable").iterrows(), strict=True):
        if pd.isna(output["value"]):
            assert cells[2][0] == MISSING
            continue
        assert number(cells[1][0]) == output["n"]
        assert cells[2][1] == output["value"]  # exact, for scripts
        assert number(cells[2][0]) == pytest.approx(100 * output["value"], abs=0.501)  # what people read
        low, high = cells[3][0].split(" to ")
        assert number(low) == pytest.approx(100 * output["ci_low"], abs=0.501)
        assert number(high) == pytest.approx(100 * output["ci_high"], abs=0.501)


def test_chance_p_and_published_numbers_stand_beside(run: Path, tmp_path: Path) -> None:
    text = page(run, tmp_path)
    for output in ("9 points, 95 % below 17 points", "0.001", "96.4 %", "Radford et al. 2021, table 3", "small n"):
        assert output in text
    assert "p-values adjusted by Holm; 2 tests in a family" in text
    assert "goes from 48 % (41 to 54 %) to 72 % (67 to 78 %), depending on the label set alone" in text


def test_the_order_is_that_of_the_specification(run: Path, tmp_path: Path) -> None:
    text = page(run, tmp_path)
    places = [text.index(f'<section id="{name}"') for name in ORDER]
    assert places == sorted(places)


def test_what_was_not_tested_is_said(run: Path, tmp_path: Path) -> None:
    text = page(run, tmp_path)
    part = text[text.index("What was not tested") : text.index('<section id="findings"')]
    assert "1 image could not be used (not a picture)" in part
    assert "4 of 8 values have a small n" in part
    assert "1 of 8 values are not defined" in part
    assert "Other images and label wordings were not tested (images: Made people)" in part


def test_a_strength_is_said_once_and_long_lists_fold(run: Path, tmp_path: Path) -> None:
    text = page(run, tmp_path)
    assert "Found: D is" not in text
    assert "D is named correctly less often." in text
    many = make(tmp_path / "many")
    message = json.loads((many / "findings.json").read_text(encoding="utf-8"))
    message["findings"] = [{"text": f"Finding {at}", "strength": "found", "p_adj": at / 100} for at in range(20)]
    (many / "findings.json").write_text(json.dumps(message), encoding="utf-8")
    sealed(many)
    text = page(many, tmp_path)
    assert "<summary>8 more findings</summary>" in text
    assert text.index("Finding 19") > text.index("8 more findings")


def test_metrics_with_findings_come_first() -> None:
    table = pd.DataFrame([row("a", 1, 2, {}), row("b", 1, 2, {}), row("a", 1, 2, {"g": "x"}), row("c", 1, 2, {})])
    assert [block.title for block in blocks(table, first=["c", "b"])] == ["C", "B", "A"]
    assert [line.name for line in blocks(table)[0].lines] == ["all", "g x"]


def test_words_limits_warnings_and_origin_are_there(run: Path, tmp_path: Path) -> None:
    text = page(run, tmp_path)
    for output in (
        "a photo of a {}.",
        "thief",
        "Holds a derogatory label.",
        "<strong>named correctly</strong>",
        "Skin tone is not race.",
        "Gradients vanish on 3 of 240 pictures.",
        "c" * 40,
        "torch 2.13.0",
        "Confusions",
        "do not endorse such use",
    ):
        assert output in text


def test_a_partial_or_broken_run_says_so_at_the_top(tmp_path: Path) -> None:
    run = make(tmp_path / "cut", header={"partial": True, "status": "error", "error": "no space left"})
    text = page(run, tmp_path)
    box = text[text.index('id="verdict"') : text.index('id="tested"')]
    assert "is a partial run" in box
    assert "no space left" in box
    part = text[text.index("What was not tested") : text.index('<section id="findings"')]
    assert "only part of the data was used" in part
    assert "status is error" in part


def test_the_gate_stands_in_the_verdict(run: Path, tmp_path: Path) -> None:
    rule = {"id": "gap", "metric": "accuracy", "contrast": "between_groups", "require": "ci_high <= 0.05"}
    text = page(run, tmp_path, gate=comparing.gate(run, {"rules": [rule]}))
    box = text[text.index('id="verdict"') : text.index('id="tested"')]
    assert "Gate: FAIL" in box
    assert "ci_high &lt;= 0.05" in box
    assert "45 points (29 to 59 points), 95 % interval, n = 240" in box


def test_the_policy_allows_the_two_scripts_and_nothing_else(run: Path, tmp_path: Path) -> None:
    text = page(run, tmp_path)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    words = html.unescape(policy[1])
    allowed = re.findall(r"sha256-([A-Za-z0-9+/=]+)", words)
    own = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    assert own is not None
    plotly = _html.PLOTLY.read_text(encoding="utf-8")
    assert allowed == [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in (own[1], plotly)]
    rules = [part.split()[0] for part in words.split(";")]
    assert rules == ["default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"]
    output = re.sub(r"'sha256-[^']*'", "HASH", words)
    assert output.startswith(
        "default-src 'none'; script-src HASH HASH; style-src 'unsafe-inline'; img-src data: blob:;"
    )


def test_nothing_is_loaded_from_elsewhere(run: Path, tmp_path: Path) -> None:
    text = re.sub(r'<script id="engine".*?</script>', "", page(run, tmp_path), flags=re.DOTALL)
    places = re.findall(r'(?:src|href|xlink:href|action)="([^"#][^"]*)"|url\(([^)#][^)]*)\)|@import', text)
    assert [place for pair in places for place in pair if place and not place.startswith("data:")] == []


def test_hostile_names_are_shown_and_not_obeyed(hostile: Path, tmp_path: Path) -> None:
    text = page(hostile, tmp_path)
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;alert(&#34;A&#34;)&lt;/script&gt;" in text
    assert "\u202e" not in text
    assert "\x07" not in text
    assert "⟨U+202E⟩" in text
    assert "(10,000 characters)" in text
    assert len(re.findall("<script", text)) == 2
    assert len(text) < 1_500_000


def test_a_page_stays_below_5_mb_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    long = pd.DataFrame({"x": range(4000), "value": [at / 7 for at in range(4000)]})
    figures = [Figure(f"f{at:02d}", f"Figure {at}", "curve", long, "x", "y", "alt") for at in range(30)]
    run = make(tmp_path / "wide", figures=figures)
    text = page(run, tmp_path)
    assert len(text.encode()) <= _html.MAX_BYTES
    assert "The figure leaves out 3600 of 4000 rows." in text
    assert "3600 further rows are in the run's files." in text


@pytest.mark.heavy
def test_many_runs_are_thinned_and_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_html, "MAX_BYTES", 2_500_000)
    long = pd.DataFrame({"x": range(2000), "value": [at / 7 for at in range(2000)]})
    figures = [Figure(f"f{at}", f"Figure {at}", "curve", long, "x", "y", "alt") for at in range(4)]
    runs = [make(tmp_path / f"run{at}", audit=f"made/audit-{at}", figures=figures) for at in range(8)]
    text = reporting.write(runs, tmp_path / "suite.html").read_text(encoding="utf-8")
    assert len(text.encode()) <= _html.MAX_BYTES
    assert "<strong>Shortened.</strong>" in text
    assert "8 audits" in text


def test_several_runs_are_one_report(run: Path, tmp_path: Path) -> None:
    for name, title in (("a", "Model A"), ("b", "Model B")):
        make(tmp_path / "runs" / name, header={"model": {"title": title}, "hashes": {"model": name * 64}})
    text = reporting.write(tmp_path / "runs", tmp_path / "suite.html").read_text(encoding="utf-8")
    assert '<section id="audit-2"' in text
    assert "Face attributes, Model B" in text
    assert "The runs used 2 different models" in text


def test_thumbnails_only_on_request(tmp_path: Path) -> None:
    from PIL import Image

    pictures = tmp_path / "pictures" / "cat"
    pictures.mkdir(parents=True)
    Image.new("RGB", (64, 64), "red").save(pictures / "one.png")
    run = make(tmp_path / "run", header={"spec": {"dataset": f"folder:{tmp_path / 'pictures'}"}})
    assert "<img" not in page(run, tmp_path)
    shown = {options: page(run, tmp_path, thumbnails=options) for options in ("blurred", "full")}
    assert all(text.count('<img src="data:image/jpeg;base64,') == 1 for text in shown.values())
    assert "Blurred, because" in shown["blurred"]
    with pytest.raises(BadInput, match="none, blurred or full"):
        page(run, tmp_path, thumbnails="sharp")


def test_a_failed_report_leaves_the_old_one(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "report.html"
    out.write_text("old", encoding="utf-8")
    monkeypatch.setattr(_html, "MAX_BYTES", 10)
    with pytest.raises(BadInput, match="Report fewer at once"):
        reporting.write([run], out)
    assert out.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("name", ["report.docx", "report.htm"])
def test_an_unknown_ending_is_refused(run: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"\.html, \.pdf"):
        reporting.write([run], tmp_path / name)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"run\.json"):
        reporting.write([tmp_path], tmp_path / "x.html")
    make(tmp_path / "run")
    (tmp_path / "run" / "metrics.parquet").write_bytes(b"not parquet")
    with pytest.raises(Tampered, match="not what was written"):
        reporting.write([tmp_path / "run"], tmp_path / "x.html")
    sealed(tmp_path / "run")
    with pytest.raises(BadInput, match="cannot be read"):
        reporting.write([tmp_path / "run"], tmp_path / "x.html")


def test_every_format_has_a_maker() -> None:
    endings = list(writing.FORMATS)
    assert endings.index(".card.md") < endings.index(".md")


def test_the_same_run_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    assert page(run, tmp_path) == page(run, tmp_path)
