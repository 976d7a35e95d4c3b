"""The table of endpoints, and what each call is checked for, without a server."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from apps.api.asking import FOLDERS, Ask, allowed, new_place, place_of, uploaded
from apps.api.registering import answered, reported, served
from apps.api.table import ENDPOINTS, in_order
from apps.tabs import TABS
from tests.apps.api.documenting import ARGUMENTS, DOCUMENT, document
from workbench.engine import Engine
from workbench.errors import BadInput, UnknownName
from workbench.pictures import sample
from workbench.progress import Progress

ABOUT = {"Model menu", "Train a small CLIP", "Why contrastive?"}  # no view; lessons for people


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


@pytest.fixture
def cat(uploads: Path) -> str:
    sample("cat").save(uploads / "cat.png")
    return str(uploads / "cat.png")


def call(engine: Engine, name: str, /, **arguments: Any) -> Any:
    """Call an endpoint as gradio does; return its answer."""
    given = served(ENDPOINTS[name], engine)(*(in_order(name, arguments) or ()), None)
    return list(given)[-1] if inspect.isgenerator(given) else given


def test_each_view_has_endpoints_that_say_what_they_take_and_answer() -> None:
    assert {row.view for row in ENDPOINTS.values()} | ABOUT == {tab.title for tab in TABS} | ABOUT
    for row in ENDPOINTS.values():
        assert row.text.endswith(".")
        assert len(row.answer) > 10
        assert all(len(one.text) > 8 for one in row.parameters.values())
        assert set(ARGUMENTS.get(row.name, {})) <= set(row.parameters)


def test_the_document_is_made_of_the_table() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run python -m tests.apps.api.documenting"


@pytest.mark.parametrize(
    ("endpoint", "values", "words"),
    [
        ("classify", ["cat.png", None, "one", False, ""], "labels.* takes: 1 to 256 labels.*None"),
        ("classify", [None, ["cat"], "one", False, ""], "image.* takes: a PNG, JPEG or WebP file"),
        ("classify", ["cat.png", ["cat", 3], "one", False, ""], "labels.* takes: "),
        ("classify", ["cat.png", ["cat"], {}, False, ""], "templates.* takes: key of a template set"),
        ("classify", ["/etc/hostname", ["cat"], "one", False, ""], "Upload the file first"),
        ("classify", ["../x", ["cat"], "one", False, ""], "Upload the file first"),
        ("match", [None, ["cat"], ""], "images.* takes: "),
        ("match", [["cat.png"], None, None], "texts.* takes: 1 to 16 texts"),
        ("compare", ["cat.png", ["cat"], None, "fake"], "model_a.* takes: key of the first model"),
        ("classify", ["cat.png", ["cat"], "one", False, "/etc"], "No model is called"),
    ],
)
def test_a_value_of_the_wrong_kind_is_answered_with_a_sentence(
    engine: Engine, cat: str, endpoint: str, values: list[Any], words: str
) -> None:
    given = [cat if one == "cat.png" else [cat] if one == ["cat.png"] else one for one in values]
    with pytest.raises(gr.Error, match=words) as met:
        served(ENDPOINTS[endpoint], engine)(*given)
    assert met.value.title in ("BadInput", "UnknownName")


def test_null_means_the_default_of_an_optional_parameter(engine: Engine, cat: str) -> None:
    called = served(ENDPOINTS["classify"], engine)
    assert called(cat, ["cat", "dog"], None, None, None) == called(cat, ["cat", "dog"], "one", False, "")


def test_named_arguments_are_put_in_order_and_a_wrong_name_is_refused() -> None:
    assert in_order("match", {"texts": ["a"], "images": ["b"]}) == [["b"], ["a"], None]
    for arguments, words in (({"picture": "b"}, "argument of match"), ({"images": ["b"]}, "match needs 'texts'")):
        with pytest.raises(BadInput, match=words):
            in_order("match", arguments)
    assert in_order("nothing", {}) is None


def test_only_uploads_are_files(uploads: Path, cat: str) -> None:
    assert uploaded(cat) == uploaded({"path": cat, "meta": {}}) == cat
    (uploads / "link.png").symlink_to("/etc/hostname")
    for wrong in ("/etc/hostname", f"{uploads}/../x", f"{uploads}/link.png", "", 3, f"{uploads}", "\0"):
        with pytest.raises(BadInput):
            uploaded(wrong)


def test_folders_of_the_server_are_closed_until_its_owner_opens_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "open" / "photos"
    inside.mkdir(parents=True)
    (inside / "out").symlink_to("/etc")
    with pytest.raises(BadInput, match="allows no folder"):
        allowed(str(inside))
    monkeypatch.setenv(FOLDERS, str(tmp_path / "open"))
    assert allowed(str(inside)) == inside
    for wrong in ("/etc", f"{inside}/out", f"{inside}/../../..", "", "open"):
        with pytest.raises(BadInput, match="allows no folder"):
            allowed(wrong)
    with pytest.raises(BadInput, match="got both"):
        allowed(str(inside), "a.png")


def test_what_a_call_left_is_found_by_its_name_alone(uploads: Path) -> None:
    place = new_place("index")
    assert len(place.name) > 30
    assert place_of(place.name, "index") == place
    for wrong in ("index", "", "/etc", str(place), f"{place.name}/..", f"../{uploads.name}/{place.name}"):
        with pytest.raises(UnknownName):
            place_of(wrong, "index")
    with pytest.raises(UnknownName):
        place_of(place.name, "run")


def test_an_answer_has_no_path_but_of_files(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    given = answered({"path": "x.png", "rows": [{"path": "y"}, float("nan")], "page": file})
    assert given["name"] == "x.png"
    assert given["rows"] == [{"name": "y"}, None]
    assert given["page"]["path"] == str(file)
    assert given["page"]["meta"] == {"_type": "gradio.FileData"}
    assert reported(Progress(3, 10, "images", "embed"))["text"] == "3 of 10 images"


def test_a_job_ends_at_its_next_step(engine: Engine, uploads: Path) -> None:
    steps = served(ENDPOINTS["generate"], engine)(
        *(in_order("generate", {"prompt": "a heart", "method": "pixels", "settings": {"steps": 50, "side": 64}}) or ()),
        None,
    )
    first = next(steps)
    assert first["progress"]["total"] == 50
    steps.close()
    with engine.session("another", deadline=5) as session:  # nothing is held
        assert session.embed_texts(["a"]).shape[0] == 1


def test_settings_of_an_image_name_no_models_or_files(engine: Engine) -> None:
    with pytest.raises(gr.Error, match="no models or files; got 'checkpoint'"):
        call(engine, "generate", prompt="x", settings={"checkpoint": "/etc"})
    with pytest.raises(gr.Error, match="up to 300 seconds"):
        call(engine, "generate", prompt="x", seconds=3600.0)


def test_a_warning_has_to_be_read_first(engine: Engine) -> None:
    with pytest.raises(gr.Error, match=re.escape("read_warning")):
        call(engine, "audit_run", audit="bias/denigration")


def test_models_are_keys_or_lie_where_they_may(engine: Engine) -> None:
    ask = Ask(engine, "me")
    assert ask.model("") == engine.default
    assert ask.model("pocket-lite2") == "pocket-lite2"
    for wrong in ("folder:/etc", "/etc", "..", "siglip"):
        with pytest.raises(UnknownName):
            ask.model(wrong)
