"""What the search view computes: who may search what, folding, downloads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from apps import _index_choice as choice
from apps.search import files, finding
from apps.search.finding import Asked
from apps.serving.options import SHARED
from workbench.errors import BadInput
from workbench.retrieval import location
from workbench.retrieval.search import Hit, Results


def hit(path: str, vector: list[float], *, likely: bool = True) -> Hit:
    unit = np.array(vector, np.float32) / np.linalg.norm(vector)
    row = {"thumbnail": b"x", "label": "=1+1", "caption": "", "width": 3, "height": 4, "second": None}
    return Hit(path, 0.5, 0.9, 0.01, 5.0, likely, row, unit.astype(np.float32))


def asked(text: str = "", image: str | None = None, weight: float = 1.0) -> Asked:
    return Asked(text, image, weight, "", weaker=False, fold=True, correct_hubs=False)


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
    assert [term.text for term in finding.terms_of(asked("dog + /etc/passwd.png"))] == ["dog", "/etc/passwd.png"]
    both = finding.terms_of(asked("dog", "/tmp/x.png", 2.0))
    assert [(term.weight, term.image) for term in both] == [(1.0, ""), (2.0, "/tmp/x.png")]
    with pytest.raises(BadInput):
        finding.terms_of(asked())


def test_near_duplicates_of_a_better_result_are_folded() -> None:
    hits = (hit("a", [1, 0]), hit("b", [1, 0.1]), hit("c", [0, 1], likely=False), hit("d", [1, 1]))
    results = Results(hits, 4, True)
    assert [one.path for one in finding.to_show(results, weaker=False, fold=True)] == ["a", "d"]
    assert [one.path for one in finding.to_show(results, weaker=False, fold=False)] == ["a", "b", "d"]
    assert [one.path for one in finding.to_show(results, weaker=True, fold=True)] == ["a", "c", "d"]


def test_downloads_hold_the_results_and_no_formula() -> None:
    csv_file, json_file = files.downloads([hit("/home/x/a.png", [1, 0])], names_only=True)
    (line,) = json.loads(Path(json_file).read_text())["results"]
    assert (line["path"], line["score"], line["likely"]) == ("a.png", 0.5, True)
    text = Path(csv_file).read_text(encoding="utf-8-sig")
    assert text.splitlines()[1].startswith("a.png,0.5,0.9,0.01")
    assert ",=1+1," not in text
