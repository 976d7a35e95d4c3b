"""First results: what is kept is a copy, files outlive the uploads, and a form that somebody fills in stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import plotly.graph_objects as go
import pytest

from apps.first_results import FirstResults, keeping
from apps.first_results.keeping import keep, put_back, ready_made, write_ready
from apps.shared.upload_folders import folder_beside_uploads
from apps.shared.visitor_runs import RunList

REQUEST = SimpleNamespace(query_params={})


class _Engine:
    default = "pocket"


class _View:
    """A view with a text box, an answer and a state, and the function that its example calls when it is drawn."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        with gr.Blocks() as self.blocks:
            self.model = gr.Dropdown(["pocket", "other"], value="pocket")
            self.text, self.answer, self.state = gr.Textbox(""), gr.Markdown("idle"), gr.State(None)
            first = FirstResults(_Engine(), self.model)  # type: ignore[arg-type]
            self.mark = first.mark("view")
            event = {"fn": self.run, "inputs": [self.text], "outputs": [self.answer, self.state]}
            first.show("view", event, {self.text: "a cat"}, mark=self.mark)
        self.opened = list(self.blocks.fns.values())[-1].fn

    def run(self, text: str, request: object) -> Iterator[tuple[Any, Any]]:
        self.asked.append(text)
        yield "reading …", gr.skip()
        yield gr.update(value=f"about {text}", visible=True), {"seen": [text]}

    def drawn(self, typed: str = "", model: str = "pocket", request: object = REQUEST) -> dict[Any, Any]:
        shown: dict[Any, Any] = {}
        for update in self.opened({self.text: typed, self.model: model}, request):  # type: ignore[misc]
            shown |= update
        return shown


def test_an_example_is_computed_once_and_then_kept_for_the_default_model() -> None:
    view = _View()
    for _ in range(3):
        shown = view.drawn()
        assert shown[view.text] == "a cat"
        assert shown[view.answer]["value"] == "about a cat"
        assert shown[view.mark]["visible"]
    assert view.asked == ["a cat"]
    shown[view.state]["seen"].append("a stranger's")  # what one visitor changes, no other sees
    assert view.drawn()[view.state] == {"seen": ["a cat"]}
    view.drawn(model="other")
    assert view.asked == ["a cat", "a cat"]


@pytest.mark.parametrize(
    ("typed", "request_"), [("a dog", REQUEST), ("", SimpleNamespace(query_params={"labels": "a"}))]
)
def test_what_a_visitor_or_a_link_fills_in_stays(typed: str, request_: object) -> None:
    view = _View()
    shown = view.drawn(typed, request=request_)
    assert view.asked == []
    assert view.text not in shown
    assert view.mark not in shown


def test_files_outlive_the_uploads_and_a_run_is_copied() -> None:
    place = folder_beside_uploads("test-")
    (place / "run").mkdir()
    (place / "run" / "run.json").write_text("{}")
    (place / "a.txt").write_text("text")
    names = ["list", "runs", "figure"]
    figure = go.Figure(go.Scatter(x=np.arange(3), y=[1, 2, 3]))
    shown = {"list": [(str(place / "a.txt"), "caption")], "runs": RunList("", (str(place / "run"),)), "figure": figure}
    kept = keep(shown, names)
    for path in (place / "a.txt", place / "run" / "run.json"):
        path.unlink()
    back = put_back(kept, names)
    assert Path(back["list"][0][0]).read_text() == "text"
    assert (Path(back["runs"].runs[0]) / "run.json").is_file()
    assert json.loads(back["figure"].to_json()) == json.loads(figure.to_json())


def test_a_ready_made_result_of_another_model_or_view_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "READY", tmp_path)
    monkeypatch.setattr(keeping, "_fingerprint", lambda: "one")
    with gr.Blocks():
        outputs = [gr.Markdown(elem_id="status"), gr.State()]
    write_ready("view", {outputs[0]: "**1** of 1", outputs[1]: object()}, outputs)
    kept = ready_made("view", outputs)
    assert kept == {0: "**1** of 1"}  # a state that is no plain data is left out
    assert ready_made("view", outputs[:1]) is None
    monkeypatch.setattr(keeping, "_fingerprint", lambda: "two")
    assert ready_made("view", outputs) is None


def test_every_ready_made_file_is_of_the_shipped_model() -> None:
    from workbench.checkpoints.shipped import POCKET
    from workbench.loading import fingerprint

    files = sorted(keeping.READY.glob("*.json"))
    assert {file.stem for file in files} >= {"audits", "evaluate", "generation", "learn"}
    assert {json.loads(file.read_text())["model"] for file in files} == {fingerprint(POCKET.key)}
    for run in keeping.READY.rglob("run.json"):
        provenance = json.loads(run.read_text())["provenance"]
        assert not any(provenance[part] for part in ("machine", "packages", "git", "argv"))
