"""Settings to an address and back, whatever is typed; an address from anybody never breaks the page."""

from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.labels import parse_labels
from workbench.reproduce import Setup, command_line, csv_row, from_query, to_query

words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
label_lists = st.lists(words, min_size=1, max_size=8, unique=True).map(tuple)


@given(label_lists, st.sampled_from(["none", "one", "seven", "eighty"]), st.booleans(), st.sampled_from(["", "cat"]))
def test_an_address_brings_back_the_settings(labels: tuple[str, ...], templates: str, none: bool, picture: str) -> None:
    setup = Setup("pocket", labels, templates, (), none, picture)
    assert from_query(dict(parse_qsl(to_query(setup))), {"cat": 1}) == (setup, [])


def test_an_own_list_comes_back() -> None:
    setup = Setup("pocket", ("cat",), "own", ("a {}", "the {} & more"))
    assert from_query(dict(parse_qsl(to_query(setup))), {}) == (setup, [])


@given(st.dictionaries(st.sampled_from(["v", "model", "labels", "templates", "own", "none", "picture"]), st.text()))
def test_an_address_from_anybody_gives_usable_settings(query: dict[str, str]) -> None:
    setup, notices = from_query(query, {"cat": 1})
    assert setup.prompts
    assert setup.model == "pocket" or setup.model == query["model"]
    assert all(isinstance(notice, str) and notice for notice in notices)


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"model": "folder:/etc"}, "model"),
        ({"labels": ",".join(f"l{i}" for i in range(300))}, "labels"),
        ({"templates": "ninety"}, "templates"),
        ({"templates": "own"}, "own templates"),
        ({"picture": "../../etc/passwd"}, "example image"),
        ({"v": "99"}, "version"),
    ],
)
def test_what_cannot_be_used_is_named(query: dict[str, str], word: str) -> None:
    setup, notices = from_query(query, {"cat": 1})
    assert setup == Setup()
    assert len(notices) == 1
    assert word in notices[0]


def test_an_address_reaches_no_folder_of_the_server(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "clip"}', encoding="utf-8")
    for key in (f"folder:{tmp_path}", str(tmp_path)):
        setup, notices = from_query({"model": key}, {})
        assert (setup.model, len(notices)) == ("pocket", 1)


@given(label_lists)
def test_labels_survive_a_csv_row(labels: tuple[str, ...]) -> None:
    assert parse_labels(csv_row(labels)) == labels


def test_the_command_line_is_quoted_for_a_shell() -> None:
    setup = Setup("pocket", ("it's", "a, b"), "own", ("one {}", "two {}"), True)
    line = shlex.split(command_line(setup, "my cat.png"))
    assert line[:3] == ["clip-workbench", "classify", "my cat.png"]
    assert line[4] == 'it\'s,"a, b"'
    assert line.count("--templates") == 2
    assert line[-5:] == ["--none-of-these", "--device", "auto", "--dtype", "auto"]
