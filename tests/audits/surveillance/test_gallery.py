"""Galleries: who is compared, and chances that are counted by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from audits.datasets.dataset import Dataset
from audits.protocol import Protocol, parse
from audits.surveillance.identity.gallery import drawn_top1, expected_top1, numbers, split, sweep
from tests.audits.planted import stages_of
from workbench.errors import BadInput

identity = stages_of("surveillance/identity")


def rules(**settings: object) -> Protocol:
    return parse({"schema": 1, "name": "t", "audit": "surveillance/identity", "title": "t", "settings": settings})


def test_the_chance_of_standing_first_is_that_of_all_galleries() -> None:
    subjects, size = 6, 3
    for beaten_by in range(subjects):
        galleries = list(itertools.combinations(range(subjects - 1), size - 1))  # of the others; the first b are better
        first = sum(all(other >= beaten_by for other in chosen) for chosen in galleries)
        result = expected_top1(np.array([beaten_by]), subjects, size)
        assert result.shape == (1,)
        assert result[0] == pytest.approx(first / len(galleries))


def test_drawn_galleries_spread_around_the_exact_chance() -> None:
    rng = np.random.default_rng(0)
    own = np.repeat(np.arange(30), 2)
    table = rng.normal(size=(60, 30))
    table[np.arange(60), own] += 1.5
    mine = table[np.arange(60), own]
    beaten_by = (table > mine[:, None]).sum(axis=1)
    exact = expected_top1(beaten_by, 30, 10).mean()
    drawn = drawn_top1(table, own, 10, draws=600, seed=1)
    assert len(drawn) == 600
    assert np.mean(drawn) == pytest.approx(exact, abs=3 * np.std(drawn) / np.sqrt(600))
    assert drawn == drawn_top1(table, own, 10, draws=600, seed=1)
    assert drawn != drawn_top1(table, own, 10, draws=600, seed=2)
    assert set(drawn_top1(table, own, 30, draws=20, seed=1)) == {float((beaten_by == 0).mean())}


def test_a_split_named_gallery_is_the_gallery_and_else_the_first_picture_is(dataset: Callable[..., Dataset]) -> None:
    rows = [
        {"sample_id": f"{subject}{view}", "label": subject, "split": "gallery" if view == 2 else "test"}
        for subject in "ab"
        for view in range(3)
    ]
    given = split(dataset(rows), "reference")
    assert given.gallery == {"a": [2], "b": [5]}
    assert given.probes == [0, 1, 3, 4]
    for row in rows:
        row["split"] = "test"
    assert split(dataset(rows), "reference").gallery == {"a": [0], "b": [3]}
    names = split(dataset(rows), "name")
    assert (names.gallery, names.probes) == ({}, list(range(6)))


def test_what_cannot_be_compared_is_refused(dataset: Callable[..., Dataset]) -> None:
    alone = [{"sample_id": name, "label": name} for name in "abc"]
    with pytest.raises(BadInput, match=r"0 probe\(s\)"):
        split(dataset(alone), "reference")
    with pytest.raises(BadInput, match="one has none"):
        split(dataset([{"sample_id": "a", "label": ""}]), "reference")
    lost = [
        {"sample_id": "a0", "label": "a", "split": "gallery"},
        {"sample_id": "b0", "label": "b", "split": "gallery"},
        {"sample_id": "c0", "label": "c", "split": "test"},
    ]
    with pytest.raises(BadInput, match=r"3 subject\(s\) and 0 probe\(s\)"):
        split(dataset(lost), "reference")  # the only picture of a subject is its reference
    with pytest.raises(BadInput, match="at least two subjects"):
        identity.plan(dataset(alone), rules(gallery_sizes=[1]), seed=0)


def test_numbers_are_a_seeded_order() -> None:
    assert sorted(numbers(5, 0, "s")) == [f"s{place:05d}" for place in range(5)]
    assert numbers(50, 0, "s") == numbers(50, 0, "s")
    assert numbers(50, 0, "s") != numbers(50, 1, "s")
    assert numbers(50, 0, "s") != sorted(numbers(50, 0, "s"))


def test_the_sweep_covers_every_cosine_and_ends_above() -> None:
    steps = sweep(0.005)
    assert (steps[0], steps[-2], steps[-1], len(steps)) == (-1.0, 1.0, 1.005, 402)
