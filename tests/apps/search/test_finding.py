"""What the search view computes: who may search what, folding, downloads."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from apps.search import files, finding, links, words
from apps.search.finding import SearchForm
from apps.serving.options import SHARED
from apps.shared import index_choice as choice
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.retrieval import location, safety
from workbench.retrieval.ordering import ordered
from workbench.retrieval.search import Hit, Results

_buffer = io.BytesIO()
Image.new("RGB", (40, 30), "green").save(_buffer, "JPEG")
THUMBNAIL = _buffer.getvalue()


def hit(path: str, vector: list[float], *, likely: bool = True) -> Hit:
    unit = np.array(vector, np.float32) / np.linalg.norm(vector)
    row = {
        "thumbnail": THUMBNAIL,
        "label": "=1+1",
        "caption": "",
        "width": 3,
        "height": 4,
        "second": None,
        "modified": 0,
    }
    return Hit(path, 0.5, 0.9, 0.01, 5.0, likely, row, unit.astype(np.float32))


def form(text: str = "", image: str | None = None, weight: float = 1.0, **options: Any) -> SearchForm:
    return SearchForm(text, image, weight, "", **{"weaker": False, "fold": True, "correct_hubs": False, **options})


def test_this_machines_indexes_are_offered_to_its_user_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path))
    (location.folder() / "mine").mkdir(parents=True)
    monkeypatch.delenv(SHARED, raising=False)
    assert choice.offered() == [choice.OWN, "mine"]
    assert choice.place_of("mine", "") == "mine"
    monkeypatch.setenv(SHARED, "1")
    assert choice.offered() == [choice.OWN]
    for chosen in ("mine", "../mine", "/etc"):
        with pytest.raises(BadInput):
            choice.place_of(chosen, "")
    with pytest.raises(BadInput, match="empty"):
        choice.place_of(choice.OWN, "")


def test_a_path_in_a_visitors_text_is_text() -> None:
    assert [term.text for term in finding.terms_of(form("dog + /etc/passwd.png"))] == ["dog", "/etc/passwd.png"]
    both = finding.terms_of(form("dog", "/tmp/x.png", 2.0))
    assert [(term.weight, term.image) for term in both] == [(1.0, ""), (2.0, "/tmp/x.png")]
    with pytest.raises(BadInput):
        finding.terms_of(form())


def test_near_duplicates_of_a_better_result_are_folded() -> None:
    hits = (hit("d", [1, 0]), hit("b", [1, 0.1]), hit("c", [0, 1], likely=False), hit("a", [1, 1]))
    results = Results(hits, 4, True)

    def shown(**options: Any) -> str:
        session: Any = None  # no model is needed
        result, hidden = finding.to_show(session, results, form(**options))
        assert hidden == 0
        return "".join(one.path for one in result)

    assert shown() == "da"
    assert shown(fold=False) == "dba"
    assert shown(weaker=True) == "dca"
    assert shown(weaker=True, sort="name") == "acd"


def test_names_are_sorted_whatever_folders_files_lie_in() -> None:
    hits = [hit(path, [1, 0]) for path in ("/f1/pig.png", "/9/Dog.png", "/0/pig.png", "/0/umbrella.png")]
    assert [one.path for one in ordered(hits, "name")] == ["/9/Dog.png", "/0/pig.png", "/f1/pig.png", "/0/umbrella.png"]


def test_safe_mode_hides_what_fits_its_sentences() -> None:
    """The model that sees colours: a planted sentence is nearest to red, and red images go."""
    with pytest.MonkeyPatch.context() as patch, Engine(default="fake", device="cpu", dtype="float32") as engine:
        patch.setattr(safety, "SENTENCES", ("a red square",))
        with engine.session("test") as session:
            red, blue = session.embed_texts(["a red square", "a blue square"]).numpy()
            hits = (hit("red", list(red)), hit("blue", list(blue)))
            result, hidden = finding.to_show(session, Results(hits, 2, True), form(safe=True, fold=False))
            assert ([one.path for one in result], hidden) == (["blue"], 1)
            result, hidden = finding.to_show(session, Results(hits, 2, True), form(fold=False))
            assert ([one.path for one in result], hidden) == (["red", "blue"], 0)


def test_a_link_holds_the_search_and_an_address_is_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    link = links.of("holiday", form("2:dog + sea", sort="newest", safe=True))
    assert link == " [Link to this search](?index=holiday&q=2%3Adog+%2B+sea&sort=newest&safe=1#search)"
    assert links.of(choice.OWN, form("dog")) == links.of("holiday", form("dog", "/tmp/x.png")) == ""
    monkeypatch.setattr(choice, "offered", lambda: [choice.OWN, "holiday"])
    request: Any = SimpleNamespace(query_params={"index": "holiday", "q": "dog", "sort": "rm -rf", "safe": "1"})
    assert links.read(request)[1:-2] == ("dog", "", "score", False, True)
    assert links.read(request)[-1] == "dog"
    request = SimpleNamespace(query_params={"index": "holiday"})
    assert all(isinstance(one, dict) for one in links.read(request)[1:])  # nothing is filled in: typed text stays
    request = SimpleNamespace(query_params={"index": "../etc", "q": "dog"})
    listed, *rest = links.read(request)
    assert (listed["value"], rest[-1]) == (choice.OWN, "")
    assert rest[-2].startswith("This link searches an index named \\.\\.\\/etc, which is not here")


def test_a_table_has_no_empty_column() -> None:
    labelled = hit("b.png", [1, 0])
    plain = replace(labelled, row={**labelled.row, "label": ""})
    table = words.listed([plain, plain], names_only=True)
    assert table["headers"] == ["image", "score", "beats", "stock sentences as good", "fits"]
    both = words.listed([plain, labelled], names_only=True)
    assert both["headers"][-1] == "label"
    assert [row[-1] for row in both["data"]] == ["", "=1+1"]


def test_downloads_hold_the_results_and_no_formula() -> None:
    csv_file, json_file, sheet = files.downloads([hit("/home/x/a.png", [1, 0])], names_only=True)
    assert sheet is not None
    with Image.open(sheet) as opened:
        assert opened.format == "JPEG"
    (line,) = json.loads(Path(json_file).read_text())["results"]
    assert (line["path"], line["score"], line["likely"]) == ("a.png", 0.5, True)
    text = Path(csv_file).read_text(encoding="utf-8-sig")
    assert text.splitlines()[1].startswith("a.png,0.5,0.9,0.01")
    assert ",=1+1," not in text
