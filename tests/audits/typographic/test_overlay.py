"""The typographic audit finds the gullibility planted in the fake model with its size, and none without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audits.analysis import Analysis
from audits.catalogue import find, read_protocol
from audits.contracts import Embedded, Item, ModelFacts
from audits.datasets.dataset import FIXED, About, Dataset
from audits.protocol import Protocol, parse
from audits.typographic.overlay.score import ALL, TWO_WAY, _draw_of, words
from tests.audits.in_memory import measure
from tests.audits.planted import stages_of
from workbench.errors import BadInput
from workbench.fake import FakeBackend
from workbench.typographic.overlay import parse as parse_overlay

overlay = stages_of("typographic/overlay")

AUDIT = find("typographic/overlay")
FACTS = ModelFacts("planted", "Planted", "f" * 8, "softmax", 100.0, 0.0, 4, "float32", "cpu")


def rules(**settings: object) -> Protocol:
    return parse({"schema": 1, "name": "t", "audit": AUDIT.key, "title": "t", "settings": settings})


def value(result: Analysis, metric: str, label_set: str = ALL, **where: str) -> float | None:
    here = [m for m in result.measures if m.metric == metric and m.label_set == label_set and dict(m.slice) == where]
    rows = [m for m in here if m.contrast != "between_groups"]
    assert len(rows) == 1, (metric, label_set, where)
    return rows[0].value


def strength(result: Analysis, metric: str) -> list[str]:
    """Of the differences on the same images; gaps, and what is not judged within 10 points, have tests of their own."""
    others = ("differs by", "Not judged within")
    return [
        one.strength for one in result.findings if one.metric == metric and not any(text in one.text for text in others)
    ]


@pytest.mark.parametrize("gullibility", [0.0, 0.5, 1.0])
def test_the_planted_gullibility_is_found_with_its_size(squares: Dataset, gullibility: float) -> None:
    result = measure(AUDIT, FakeBackend(gullibility=gullibility), squares, rules=read_protocol(AUDIT.key, "marks"))
    success = value(result, "attack_success", overlay="word")
    assert success is not None
    assert value(result, "accuracy", overlay="clean") == 1.0
    assert abs(success - gullibility) < (0.12 if gullibility == 0.5 else 1e-9)  # 96 pictures: 2.4 standard errors
    assert value(result, "accuracy", TWO_WAY, overlay="word") == pytest.approx(1 - success)
    assert value(result, "attack_success", overlay="nonsense") == 0.0
    assert value(result, "changed", overlay="blank") == 0.0
    expected = "found" if gullibility else "no evidence"
    assert set(strength(result, "reading")) == {expected}
    assert set(strength(result, "accuracy_drop")) == {expected}


def test_a_model_that_cannot_read_letters_is_not_found_gullible(few: Dataset) -> None:
    result = measure(AUDIT, FakeBackend(gullibility=1.0), few, rules=rules(sizes=[0.08]))
    assert value(result, "attack_success", overlay="word") == 0.0
    assert set(strength(result, "reading")) == {"no evidence"}
    assert "marks" in result.sanity[0]


def test_two_runs_are_equal_and_another_seed_writes_other_words(few: Dataset) -> None:
    first, again = (measure(AUDIT, FakeBackend(), few, rules=read_protocol(AUDIT.key, "marks")) for _ in "12")
    assert first.measures == again.measures
    assert first.findings == again.findings
    plan = read_protocol(AUDIT.key, "one-at-a-time")
    assert overlay.plan(few, plan, seed=0) == overlay.plan(few, plan, seed=0)
    assert words(few, plan, 0) != words(few, plan, 1)
    half = replace(few, table=few.table.iloc[::2])
    assert words(half, plan, 0).items() <= words(few, plan, 0).items()
    assert all(
        label not in drawn for drawn, label in zip(words(few, plan, 0).values(), few.table["label"], strict=True)
    )


def test_a_picture_bears_several_words_each_with_controls_of_its_own(few: Dataset) -> None:
    request = {"sizes": [0.1, 0.2], "words": ["black", "white", "red", "green", "blue"]}
    one, three = rules(**request), rules(**request, draws=3)
    drawn = words(few, three, 0)
    assert {len(set(own)) for own in drawn.values()} == {3}
    assert {name: own[:1] for name, own in drawn.items()} == words(few, one, 0)
    forms = [item.variant for item in overlay.plan(replace(few, table=few.table.head(1)), three, seed=0)]
    assert forms[:3] == ["clean", "word, 0.1, bottom, black on white", "word, 0.2, bottom, black on white"]
    assert forms[3:] == [
        "nonsense",
        "blank",
        *(f"{kind} {k}" for k in (2, 3) for kind in ("word", "nonsense", "blank")),
    ]
    assert [_draw_of(name) for name in forms] == [1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_several_words_find_the_planted_gullibility_more_narrowly(few: Dataset) -> None:
    content = read_protocol(AUDIT.key, "marks").model_dump(by_alias=True)
    several = parse(content | {"settings": content["settings"] | {"draws": 4}})
    result = measure(AUDIT, FakeBackend(gullibility=0.5), few, rules=several)
    (row,) = [m for m in result.measures if m.metric == "attack_success" and dict(m.slice) == {"overlay": "word"}][:1]
    assert row.n == 4 * 32
    assert row.value == pytest.approx(0.5, abs=0.22)  # 32 pictures, alike for all their words: 2.5 standard errors
    assert value(result, "attack_success", overlay="nonsense") == 0.0
    assert value(result, "reading", overlay="word", control="nonsense") == pytest.approx(row.value)
    again = value(result, "reading", overlay="word", control="nonsense", drawn_again="words")
    assert again == pytest.approx(row.value)
    assert set(strength(result, "reading")) == {"found"}


def test_reading_one_word_of_ten_is_not_reading_words(planted: Callable[..., Embedded]) -> None:
    """20 of 200 pictures: beyond chance for other pictures with these words, and not for other words."""
    rows = []
    for at in range(200):
        word = f"word{at % 10}"
        read_as = word if at % 10 == 0 else "cat"
        forms = (("clean", "cat"), ("word", read_as), ("nonsense", "cat"))
        rows += [(f"p{at:03d}", "cat", word, form, taken) for form, taken in forms]
    given = rules(controls=["nonsense"])
    result = overlay.analyse(overlay.score(planted(rows), given, seed=0), given, model=FACTS, seed=0)
    output = {
        f.text.rsplit("; ", 1)[1].split(")")[0]: f.strength
        for f in result.findings
        if f.metric == "reading" and "all labels" in f.text
    }
    assert output == {"images resampled": "found", "words resampled": "no evidence"}
    assert value(result, "reading", overlay="word", control="nonsense") == pytest.approx(0.1)


def test_one_setting_is_changed_at_a_time_or_all_together(squares: Dataset) -> None:
    one = replace(squares, table=squares.table.head(1))
    axes = {
        "sizes": [0.1, 0.2],
        "positions": ["top", "bottom", "centre"],
        "colours": ["black on white"],
        "words": ["red"],
    }
    few = [item.variant for item in overlay.plan(one, rules(**axes), seed=0)]
    assert few == [
        "clean",
        "word, 0.1, top, black on white",
        "word, 0.1, bottom, black on white",
        "word, 0.1, centre, black on white",
        "word, 0.2, top, black on white",
        "nonsense",
        "blank",
    ]
    assert len(overlay.plan(one, rules(**axes, design="full"), seed=0)) == 1 + 6 + 2
    veiled = overlay.plan(one, rules(sizes=[0.1], words=["red"], opacities=[0.5, 1.0]), seed=0)
    assert [item.variant for item in veiled[1:3]] == [
        "word, 0.1, bottom, black on white, 50 % opaque",
        "word, 0.1, bottom, black on white",
    ]
    assert {parse_overlay(item.recipe).opacity for item in veiled[3:]} == {0.5}  # controls stand in the first condition


def test_an_opacity_is_a_condition_of_its_own(few: Dataset) -> None:
    result = measure(AUDIT, FakeBackend(), few, rules=rules(sizes=[0.2], opacities=[0.4, 1.0]))
    slices = [dict(m.slice) for m in result.measures if m.metric == "attack_success"]
    assert {row["colour"] for row in slices if "colour" in row} == {"black on white", "black on white, 40 % opaque"}
    drops = [dict(m.slice) for m in result.measures if m.metric == "accuracy_drop" and m.contrast == "paired"]
    assert {row["colour"] for row in drops} == {"black on white, 40 % opaque"}
    assert any("; black on white, 40 % opaque)" in one.text for one in result.findings)


def test_every_size_at_every_place_is_a_map_of_success(few: Dataset) -> None:
    whole = rules(sizes=[0.1, 0.3], positions=["top", "centre"], design="full")
    (grid,) = [one for one in measure(AUDIT, FakeBackend(), few, rules=whole).figures if one.kind == "matrix"]
    cells = list(zip(grid.data["row"], grid.data["column"], strict=True))
    assert cells == [("0.1", "centre"), ("0.1", "top"), ("0.3", "centre"), ("0.3", "top")]
    result = measure(AUDIT, FakeBackend(), few, rules=whole)
    for size, place, share in grid.data.itertuples(index=False):
        where = {"overlay": "word", "size": size, "position": place, "colour": "black on white"}
        assert share == pytest.approx(value(result, "attack_success", **where))
    single = rules(sizes=[0.1, 0.3], positions=["top", "centre"])
    assert not [one for one in measure(AUDIT, FakeBackend(), few, rules=single).figures if one.kind == "matrix"]


def test_the_first_of_each_setting_is_the_base_of_the_comparison(few: Dataset) -> None:
    result = measure(AUDIT, FakeBackend(), few, rules=rules(sizes=[0.2, 0.1], positions=["top", "bottom"]))
    drops = [m for m in result.measures if m.metric == "accuracy_drop" and m.contrast == "paired"]
    slices = [dict(m.slice) for m in drops if "kind" not in m.slice]
    assert slices == [{"overlay": "word", "size": "0.2", "position": "top", "colour": "black on white"}] * 2
    drop = next(one.text for one in result.findings if "ccuracy" in one.text and "word is written" in one.text)
    assert "size 0.2, top)" in drop  # what does not vary is not said
    names = set(result.figures[0].data["name"])
    assert {"word, 0.2, top", "word, 0.1, top", "word, 0.2, bottom", "nonsense", "blank"} >= names > {"word, 0.1, top"}


@pytest.mark.parametrize(
    "settings",
    [
        {"sizes": [0.9]},
        {"positions": ["left"]},
        {"colours": []},
        {"ink": "marks", "sizes": [0.1, 0.2]},
        {"colour": "red"},
        {"opacities": [0.0]},
        {"opacities": []},
        {"ink": "marks", "opacities": [0.5]},
        {"ink": "chalk"},
    ],
)
def test_settings_that_cannot_be_used_are_refused(squares: Dataset, settings: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="settings"):
        overlay.plan(squares, rules(**settings), seed=0)


def test_a_single_label_leaves_nothing_to_write(few: Dataset) -> None:
    alike = replace(few, table=few.table.assign(label="red"))
    with pytest.raises(BadInput, match="the only word is 'red'"):
        measure(AUDIT, FakeBackend(), alike, rules=rules(ink="marks"))


def test_labels_that_lack_what_is_seen_are_refused(few: Dataset) -> None:
    given = rules(ink="marks").model_copy(update={"label_sets": read_labels(("red", "green"))})
    with pytest.raises(BadInput, match="lacks labels of the data set: black"):
        measure(AUDIT, FakeBackend(), few, rules=given)


def read_labels(labels: tuple[str, ...]) -> dict[str, object]:
    content = {"schema": 1, "name": "t", "audit": AUDIT.key, "title": "t", "label_sets": {"some": {"labels": labels}}}
    return dict(parse(content).label_sets)


def test_pictures_that_are_named_wrongly_when_clean_are_not_attacked(few: Dataset) -> None:
    others = dict(zip(sorted(set(few.table["label"])), [*sorted(set(few.table["label"]))[1:], "black"], strict=True))
    mistaken = replace(few, table=few.table.assign(label=few.table["label"].map(others)))
    result = measure(AUDIT, FakeBackend(gullibility=1.0), mistaken, rules=read_protocol(AUDIT.key, "marks"))
    assert value(result, "accuracy", overlay="clean") == 0.0
    assert value(result, "attack_success", overlay="word") is None
    assert "not measured" in strength(result, "attack_success")


@pytest.fixture
def planted() -> Callable[..., Embedded]:
    """Return a function that gives pictures with a form and a word the vectors of what they are taken for."""

    def make(rows: list[tuple[str, str, str, str, str]]) -> Embedded:
        """Each row: cluster, label, word, form, what it is taken for."""
        names = sorted({"cat", "dog", "sun"} | {word for row in rows for word in (row[1], row[2], row[4])})
        table = pd.DataFrame([row[:4] for row in rows], columns=["cluster", "label", "word", "form"])
        table["sample_id"] = [f"{place:02d}" for place in range(len(rows))]
        for name in FIXED:
            table[name] = table.get(name, "")
        images = np.stack([np.eye(len(names) + 1, dtype=np.float32)[names.index(row[4])] for row in rows])
        axes = np.eye(len(names) + 1, dtype=np.float32)
        texts = {f"a photo of a {name}.": axes[place] for place, name in enumerate(names)}
        dataset = Dataset("test:given", About("Given"), table, Path(), ("form", "word"))
        return Embedded(FACTS, dataset, tuple(Item(name) for name in table["sample_id"]), images, texts)

    return make


def test_a_third_label_is_a_change_and_no_success(planted: Callable[..., Embedded]) -> None:
    rows = [
        ("a", "cat", "dog", "clean", "cat"),
        ("a", "cat", "dog", "word", "sun"),  # to a third label
        ("b", "cat", "dog", "clean", "cat"),
        ("b", "cat", "dog", "word", "dog"),  # to the word
        ("c", "cat", "dog", "clean", "dog"),  # wrong before: not attacked
        ("c", "cat", "dog", "word", "dog"),
        ("d", "cat", "dog", "clean", "cat"),
        ("d", "cat", "dog", "synthetic", "cat"),  # withstands
        ("e", "sun", "dog", "clean", "sun"),
    ]
    given = rules(min_n=1)
    samples = overlay.score(planted(rows), given, seed=0)
    result = overlay.analyse(samples, given, model=FACTS, seed=0)
    assert value(result, "attack_success", overlay="word") == pytest.approx(1 / 2)
    assert value(result, "changed", overlay="word") == pytest.approx(1.0)
    assert value(result, "changed_elsewhere", overlay="word") == pytest.approx(1 / 2)
    assert value(result, "attack_success", overlay="synthetic") == 0.0
    assert value(result, "word_answered", overlay="word") == pytest.approx(2 / 3)
    assert value(result, "accuracy_drop", overlay="word") == pytest.approx(2 / 3)


def test_photographs_without_clean_pictures_have_no_success_rate(planted: Callable[..., Embedded]) -> None:
    rows = [("a", "cat", "dog", "word", "dog"), ("b", "dog", "cat", "word", "dog")]
    samples = overlay.score(planted(rows), rules(), seed=0)
    result = overlay.analyse(samples, rules(), model=FACTS, seed=0)
    assert value(result, "attack_success", overlay="word") is None
    assert value(result, "word_answered", overlay="word") == 0.5
    assert "no clean images" in result.sanity[0]


def test_a_form_that_is_not_known_is_refused(planted: Callable[..., Embedded]) -> None:
    with pytest.raises(BadInput, match="column form"):
        overlay.score(planted([("a", "cat", "dog", "shiny", "dog")]), rules(), seed=0)


@pytest.mark.parametrize("metric", ["attack_success", "changed", "changed_elsewhere", "accuracy", "word_answered"])
def test_a_rate_is_the_mean_of_its_outcome_over_its_slice(few: Dataset, metric: str) -> None:
    from tests.audits.in_memory import embed

    given = read_protocol(AUDIT.key, "marks")
    embedded = embed(overlay, FakeBackend(), few, rules=given, seed=0)
    samples = overlay.score(embedded, given, seed=0)
    for row in overlay.analyse(samples, given, model=embedded.model, seed=0).measures:
        if row.metric == metric and row.contrast == "none" and row.value is not None:
            inside = samples[(samples["label_set"] == row.label_set)]
            for name, wanted in row.slice.items():
                inside = inside[inside[name] == wanted]
            assert row.value == pytest.approx(inside[f"outcome:{metric}"].mean())
            assert row.n == inside[f"outcome:{metric}"].notna().sum()


@pytest.mark.parametrize("name", AUDIT.protocols)
def test_each_protocol_can_be_read_and_used(squares: Dataset, name: str) -> None:
    shipped = read_protocol(AUDIT.key, name)
    assert overlay.plan(squares, shipped, seed=0)
    assert len(overlay.texts(squares, shipped)) == 8 * len(shipped.templates)
