"""What a visitor sets is read with care, goes through an address and back, and names itself on the command line."""

from __future__ import annotations

import json
import shlex
from html.parser import HTMLParser

import pytest
from PIL import Image

from apps.shell import run
from apps.typographic.form import PRESETS, WrittenForm, names_with_words, places, read_labels
from apps.typographic.links import command_line, from_link, python_lines, to_link
from apps.typographic.shown import answer_card, stage_payload, summary
from apps.typographic.widgets import _hex
from workbench.errors import BadInput
from workbench.loading import load
from workbench.typographic.comparing import compare
from workbench.typographic.examples import EXAMPLES, example
from workbench.typographic.lettering import Label
from workbench.typographic.writing import corners

FORM = WrittenForm(
    (Label("iPod", x=0.3, size=0.2, angle=12.5, ink="#ff0000"), Label("<b>&", y=0.2)), ("apple", "iPod"), "drawn-apple"
)


def test_an_address_gives_back_the_settings() -> None:
    assert from_link(to_link(FORM), ["pocket"], EXAMPLES) == FORM


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"labels": []}',
        '{"labels": [{"text": "a"}]}',
        '{"labels": [{"word": 1}], "names": ["a"]}',
        "[" * 5000,
    ],
)
def test_an_address_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        from_link(text, ["pocket"], EXAMPLES)


def test_an_address_reads_no_folder_and_no_foreign_picture() -> None:
    given = json.loads(to_link(FORM)) | {"model": "/etc", "picture": "../secret"}
    read = from_link(json.dumps(given), ["pocket"], EXAMPLES)
    assert (read.model, read.picture) == ("pocket", "")


def test_places_come_from_the_browser_and_nonsense_is_ignored() -> None:
    rows = read_labels(["a", " ", "b"], '[{"x": 0.1, "y": 0.2, "size": 0.3, "angle": 4, "text": "evil"}]', Label("x"))
    assert [row.text for row in rows] == ["a", "b"]
    assert (rows[0].x, rows[0].y, rows[0].size, rows[0].angle) == (0.1, 0.2, 0.3, 4.0)
    assert read_labels(["a"], "not json", Label("x"))[0].text == "a"
    assert json.loads(places(rows))[0] == {"x": 0.1, "y": 0.2, "size": 0.3, "angle": 4.0}
    with pytest.raises(BadInput, match="size"):
        read_labels(["a"], '[{"size": 1e9}]', Label("x"))
    with pytest.raises(BadInput, match="At most 6"):
        read_labels(["a"] * 7, "", Label("x"))


def test_the_written_word_can_be_answered() -> None:
    assert names_with_words("cat, dog", ["pizza", "cat", " "]) == ("cat", "dog", "pizza")
    assert names_with_words("cat, dog", ["DOG", "iPod", "IPOD"]) == ("cat", "dog", "iPod")  # whatever the capitals


def test_a_word_in_capitals_is_the_label_that_wins() -> None:
    fake = load("fake")
    label = Label("RED", size=0.3, y=0.5, ink="#ff0000", paper="#ff0000")
    result = compare(fake, Image.new("RGB", (64, 64), (110, 0, 140)), (label,), names=("blue", "red"))
    assert result.top(1) == "red"
    assert result.top(0) == "blue"
    assert "the written word" in summary(result, ["RED"])
    assert "neither the image nor the word" in summary(result, ["green"])


def test_colours_of_the_picker_are_hex() -> None:
    assert _hex("rgba(255, 12.6, 0, 1)") == "#ff0d00"
    assert _hex("#010203") == "#010203"


def test_page_command_and_python_give_the_same_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    form = WrittenForm(FORM.labels[:1], FORM.names, FORM.picture)
    words = shlex.split(command_line(form, form.picture))
    assert words[:2] == ["clip-workbench", "attack"]
    assert run([*words[1:], "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    pocket = load("pocket", device="cpu")
    result = compare(pocket, example(form.picture), form.labels, names=form.names)
    assert row["probability"] == pytest.approx(result.answers.ranked(1)[0][1], abs=1e-5)
    assert row["cover"] == result.cover
    scope: dict[str, object] = {}
    exec(python_lines(form, form.picture), scope)
    assert "iPod" in capsys.readouterr().out
    assert scope["result"].answers.cosines[1, 1] == pytest.approx(float(result.answers.cosines[1, 1]), abs=1e-6)  # type: ignore[attr-defined]


OURS = {"div", "p", "b", "table", "thead", "tbody", "tr", "th", "td", "span"}


class Tags(HTMLParser):
    """Collects the names of tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]


@pytest.mark.parametrize(
    "word", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "שלום", "\N{SLICE OF PIZZA}"]
)
def test_a_hostile_word_never_becomes_html(word: str) -> None:
    fake = load("fake")
    labels = (Label(word),)
    result = compare(fake, example("cat"), labels, names=("red", word))
    boxes = [corners(result.clean.size, label) for label in labels]
    assert Tags(stage_payload(result, boxes, labels)).tags == {"img"}
    assert Tags(answer_card(result, 1, "Written on")).tags <= {
        "div",
        "p",
        "b",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "span",
    }
    assert Tags(summary(result, [word])).tags <= {"b"}


def test_every_preset_can_be_written() -> None:
    for preset in PRESETS:
        assert example(preset.picture).mode == "RGB"
        labels = read_labels([preset.word], places([preset.label]), preset.label)
        assert names_with_words(preset.names, [labels[0].text])
