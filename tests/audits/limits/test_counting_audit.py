"""Counting: one that counts, one that does not, and one that judges by area are told apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from audits.analysis import Analysis
from audits.catalogue import protocol_names, read_protocol
from audits.datasets.builtin import BUILTIN
from audits.datasets.counted_things import AREAS, COUNTS, LAYOUTS, picture, pictures
from audits.datasets.dataset import Dataset
from audits.datasets.drawn import write_pictures
from audits.limits.counting.analyse import slope
from audits.limits.counting.score import number
from tests.audits.planted import dataset, embedded, facts, find, one_hot, protocol, stages_of
from workbench.errors import BadInput
from workbench.statistics.measures import table

counting = stages_of("limits/counting")

RULES = protocol("limits/counting", {"counts": list(range(1, 11))})


def sets() -> Dataset:
    """Ten counts, three clusters of each, drawn with equal size and with equal total area."""
    grid = [(word, area, copy) for word in COUNTS for area in AREAS for copy in range(3)]
    return dataset(
        [word for word, _, _ in grid],
        cluster=[f"{word}-{copy}" for word, _, copy in grid],
        area=[area for _, area, _ in grid],
    )


def planted(answer: Callable[[int, str, int], int], data: Dataset | None = None) -> Analysis:
    """`answer(true count, area, row)` is what the model says."""
    data = data or sets()
    areas = data.table["area"] if "area" in data.table.columns else [AREAS[0]] * len(data.table)
    message = [answer(number(w), a, at) for at, (w, a) in enumerate(zip(data.table["label"], areas, strict=True))]
    prompts = counting.texts(data, RULES)
    images = np.array([np.eye(10)[count - 1] for count in message])
    samples = counting.score(embedded(data, images, one_hot(prompts)), RULES, seed=0)
    return counting.analyse(samples, RULES, model=facts(10), seed=0)


@pytest.mark.heavy
def test_one_that_counts_is_found() -> None:
    analysis = planted(lambda true, area, at: true)
    for metric, value in (("accuracy", 1), ("within_one", 1), ("mean_absolute_error", 0), ("slope", 1)):
        assert find(analysis, metric).value == pytest.approx(value)
        assert find(analysis, metric).p_adj < 0.01  # type: ignore[operator]
    assert find(analysis, "accuracy").null_mean == pytest.approx(0.1, abs=0.01)
    assert find(analysis, "area_change").value == 0
    assert [one.strength for one in analysis.findings] == ["found", "no evidence"]


@pytest.mark.heavy
def test_one_that_always_says_three_is_not_above_chance() -> None:
    analysis = planted(lambda true, area, at: 3)
    assert find(analysis, "accuracy").value == pytest.approx(0.1)
    assert find(analysis, "accuracy").null_mean == pytest.approx(0.1)
    assert find(analysis, "accuracy").p_value == 1
    assert find(analysis, "within_one").value == pytest.approx(0.3)
    assert find(analysis, "mean_absolute_error").value == pytest.approx(np.abs(np.arange(1, 11) - 3).mean())
    assert find(analysis, "slope").value == 0
    assert analysis.findings[0].strength == "no evidence"


@pytest.mark.heavy
def test_one_that_judges_by_area_fails_where_the_area_is_the_same() -> None:
    analysis = planted(lambda true, area, at: true if area == AREAS[0] else 5)
    assert find(analysis, "accuracy", area=AREAS[0]).value == 1
    assert find(analysis, "accuracy", area=AREAS[1]).value == pytest.approx(0.1)
    assert find(analysis, "slope", area=AREAS[1]).value == 0
    change = find(analysis, "area_change")
    assert change.value == pytest.approx(-0.9)
    assert change.n == 30
    assert analysis.findings[1].strength == "found"
    assert "falls by 90.0 points" in analysis.findings[1].text


@pytest.mark.heavy
def test_an_error_of_one_is_within_one_and_tables_repeat() -> None:
    one, two = (planted(lambda true, area, at: min(10, true + at % 3)) for _ in "12")
    assert find(one, "within_one").value > find(one, "accuracy").value  # type: ignore[operator]
    by_hand = np.mean([abs(min(10, true + at % 3) - true) for at, true in enumerate(np.repeat(np.arange(1, 11), 6))])
    assert find(one, "mean_absolute_error").value == pytest.approx(by_hand)
    assert table(one.measures).equals(table(two.measures))


def test_labels_are_words_or_digits_and_things_are_named() -> None:
    assert [number(text) for text in ("three", "Ten", " 7", "many", "", "-1", "²")] == [
        3,
        10,
        7,
        -1,
        -1,
        -1,
        -1,
    ]
    named = protocol("limits/counting", {"counts": [1, 2], "named": True}, templates=["a photo of {}."])
    data = dataset(["1", "two", "cat"], things=["apples", "dogs", "apples"])
    assert counting.texts(data, named) == [
        "a photo of one apple.",
        "a photo of two apples.",
        "a photo of one dog.",
        "a photo of two dogs.",
    ]
    assert [item.sample_id for item in counting.plan(data, named, seed=0)] == ["s0000", "s0001"]


def test_slope_by_hand() -> None:
    assert slope(np.array([1.0, 2, 3]), np.array([2.0, 2, 4])) == pytest.approx(1)
    assert np.isnan(slope(np.array([2.0, 2]), np.array([1.0, 3])))


def test_nothing_to_count_is_refused_and_little_is_not_concluded_from() -> None:
    with pytest.raises(BadInput, match="No label of"):
        counting.plan(dataset(["cat", "dog"]), RULES, seed=0)
    with pytest.raises(BadInput, match="0 to 10"):
        counting.plan(dataset(["one"]), protocol("limits/counting", {"counts": [1, 40]}), seed=0)
    analysis = planted(lambda true, area, at: true, dataset(["one", "two", "three"]))
    assert {one.strength for one in analysis.findings} == {"not judged"}
    for name in protocol_names("limits/counting"):
        counting.plan(dataset(["three", "4"]), read_protocol("limits/counting", name), seed=0)


def ink(drawn: Image.Image) -> float:
    return float((np.asarray(drawn).min(axis=2) < 128).mean())


def test_the_built_in_sets_hold_what_they_say(tmp_path: Path) -> None:
    assert {row.key: row.pictures for row in BUILTIN}["counted-things"] is pictures
    from scipy.ndimage import label

    for count in (1, 4, 10):
        for layout in LAYOUTS:
            for area in AREAS:
                drawn = np.asarray(picture("circle", count, layout=layout, area=area))
                assert label(drawn.min(axis=2) < 200)[1] == count
    same = [ink(picture("square", count, layout="rows", area=AREAS[1])) for count in (1, 4, 9)]
    assert max(same) < 1.15 * min(same)
    grown = [ink(picture("square", count, layout="rows", area=AREAS[0])) for count in (1, 4, 9)]
    assert grown == pytest.approx([grown[0], 4 * grown[0], 9 * grown[0]], rel=0.01)


@pytest.mark.heavy
def test_the_built_in_set_is_the_same_each_time(drawn: Callable[[str], Path], tmp_path: Path) -> None:
    write_pictures(tmp_path, pictures())
    rows = pd.read_csv(tmp_path / "samples.csv", dtype=str)
    assert len(rows) == 6 * 10 * 2 * 2
    assert (rows.groupby("cluster").size() == 2).all()
    folder = drawn("counted-things")
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes()
