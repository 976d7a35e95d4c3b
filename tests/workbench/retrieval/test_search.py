"""Searching: order, shares, filters, cut-off, the vector index, and the check against a plain product."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.neurons.vocabulary import vocabulary
from workbench.pictures import SAMPLES, sample_path
from workbench.retrieval import index, memory, search
from workbench.retrieval.adding import add
from workbench.retrieval.ask import ask
from workbench.retrieval.chance import Chance
from workbench.retrieval.check import check
from workbench.retrieval.index import ModelTable
from workbench.retrieval.query import parse_query
from workbench.retrieval.rivals import rivals
from workbench.retrieval.rows import IndexRow, as_table
from workbench.retrieval.stock import embedded

Run = Callable[[Any], Any]


def made_table(rows: int, dim: int = 32, *, seed: int = 0, name: str = "made") -> tuple[ModelTable, np.ndarray]:
    """Write a table of clustered unit vectors; return it with them."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(50, dim))
    vectors = centres[generator.integers(0, 50, rows)] + 0.7 * generator.normal(size=(rows, dim))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    opened = index.make_table(name, model="fake", fingerprint="0" * 40, dim=dim)
    lines = [
        IndexRow(f"/{n}.png", f"{n:064x}", n, 0, 10 + n % 7, 10, "even" if n % 2 == 0 else "odd", "", (), None, b"")
        for n in range(rows)
    ]
    opened.table.add(as_table(lines, vectors, opened.table.schema))
    return index.find_table(name), vectors


def test_the_best_rows_are_those_of_a_plain_product(home: Path) -> None:
    opened, vectors = made_table(500)
    query = vectors[7]
    results = search.search(opened, query, top=20)
    cosines = vectors.astype(np.float64) @ query.astype(np.float64)
    expected = np.argsort(-cosines)[:20]
    assert [hit.path for hit in results.hits] == [f"/{n}.png" for n in expected]
    np.testing.assert_allclose([hit.score for hit in results.hits], cosines[expected], atol=1e-6)
    np.testing.assert_allclose([hit.beats for hit in results.hits], [(499 - n) / 500 for n in range(20)])
    assert (results.rows, results.exact) == (500, True)


def test_a_filter_limits_what_is_searched(home: Path) -> None:
    opened, vectors = made_table(500)
    results = search.search(opened, vectors[8], top=1000, where="label = 'odd' AND width > 12")
    expected = [n for n in range(500) if n % 2 and 10 + n % 7 > 12]
    assert results.rows == len(results.hits) == len(expected)
    assert {hit.path for hit in results.hits} == {f"/{n}.png" for n in expected}
    assert search.search(opened, vectors[8], where="label = 'neither'").hits == ()
    with pytest.raises(BadInput, match="filter"):
        search.search(opened, vectors[8], where="colour = 3")


@pytest.mark.parametrize("top", [0, 1001])
def test_a_number_of_results_is_bounded(home: Path, top: int) -> None:
    opened, vectors = made_table(10)
    with pytest.raises(BadInput):
        search.search(opened, vectors[0], top=top)


def test_new_rows_are_seen_at_once(home: Path) -> None:
    opened, vectors = made_table(100)
    assert search.search(opened, vectors[0]).rows == 100
    line = IndexRow("/new.png", "f" * 64, 1, 0, 1, 1, "", "", (), None, b"")
    opened.table.add(as_table([line], -vectors[:1], opened.table.schema))
    assert search.search(index.find_table("made"), -vectors[0], top=1).hits[0].path == "/new.png"


@pytest.mark.parametrize("kind", ["IVF_RQ", "IVF_SQ"])
def test_a_large_table_is_searched_by_its_vector_index(home: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(memory, "VECTOR_INDEX_FROM", 1000)
    monkeypatch.setattr(memory, "LIMIT", 0)
    monkeypatch.setattr(memory, "SAMPLE", 2000)
    opened, vectors = made_table(6000, name=kind.lower())
    opened.table.build_vector_index(kind)
    opened = index.find_table(kind.lower())
    assert opened.table.state()["vector_index"] == kind
    results = search.search(opened, vectors[3], top=10)
    cosines = vectors @ vectors[3]
    assert not results.exact
    assert results.hits[0].path == "/3.png"
    np.testing.assert_allclose(
        [hit.score for hit in results.hits], [cosines[int(h.path[1:-4])] for h in results.hits], atol=1e-6
    )
    exact_share = np.mean(cosines < results.hits[9].score)
    assert results.hits[9].beats == pytest.approx(exact_share, abs=0.02)
    report = check(opened, queries=40)
    assert report["index"] == kind
    assert report["recall"] >= 0.9
    filtered = search.search(opened, vectors[3], top=10, where="label = 'even'")
    assert {hit.row["label"] for hit in filtered.hits} == {"even"}


def test_the_check_finds_a_planted_fault(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, _ = made_table(300)
    report = check(opened, queries=30)
    assert (report["recall"], report["n"], report["k"], report["rows"]) == (1.0, 300, 10, 300)
    real = memory.table_vectors

    def shuffled(one: ModelTable) -> memory.TableVectors:
        kept = real(one)
        return memory.TableVectors(kept.ids, np.roll(kept.vectors, 1, axis=0), kept.whole, kept.rows)

    monkeypatch.setattr(memory, "table_vectors", shuffled)
    assert check(opened, queries=30)["recall"] < 0.3


def test_chance_is_the_share_of_stock_sentences_that_reach_a_score() -> None:
    stock = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-1.0, 0.0]], np.float32)
    vectors = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    reached, deviations = Chance(stock).measure(vectors, np.array([0.7, 0.9], np.float32), np.zeros(3, np.float32))
    np.testing.assert_allclose(reached, [2 / 5, 2 / 5])  # one of four reaches it, plus one
    for at, null in enumerate(([1.0, 0.6, 0.0, -1.0], [0.0, 0.8, 1.0, 0.0])):
        assert deviations[at] == pytest.approx(((0.7, 0.9)[at] - np.mean(null)) / np.std(null), rel=1e-5)


def test_the_name_of_a_kind_must_win_against_other_names() -> None:
    stock = np.tile(np.array([[0.0, 0.0, 1.0]], np.float32), (30, 1)) + 1e-3
    images = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.8, 0.6, 0.0]], np.float32)
    query, rival = images[0], np.array([[0.0, 1.0, 0.0]], np.float32)
    cosines, beyond = images @ query, np.array([9.0, 8.0, 3.9])
    fits = Chance(stock, rivals=rival).likely(images, cosines, beyond)
    assert fits.tolist() == [True, False, False]  # the second fits the rival better, the third is below the cut
    assert Chance(stock).likely(images, cosines, np.array([9.0, 6.5, 5.0])).tolist() == [True, True, True]
    assert Chance(stock).likely(images, cosines, np.array([12.0, 12.0, 5.0])).tolist() == [True, True, False]
    assert Chance(None).likely(images, cosines, np.array([12.0, 12.0, 5.0])).all()


def test_rivals_are_the_other_names_and_common_words_have_none(run: Run) -> None:
    with Engine(device="cpu") as engine, engine.session("test", "fake") as opened:
        every = len({word.lower() for word in vocabulary()})
        for query in ("golden retriever", "a photo of a Golden Retriever."):
            made = rivals(opened, parse_query(query))
            assert made is not None
            assert made.shape == (every - 1, opened.dim)
            np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
        assert embedded(opened, ("a", "b")).shape == (2, opened.dim)
        assert embedded(opened, ("a", "b")) is embedded(opened, ("a", "b"))  # computed once
        assert rivals(opened, parse_query("dog")) is None
        assert rivals(opened, parse_query("golden retriever + pool")) is None


def test_an_image_is_measured_against_the_index() -> None:
    scores = np.random.default_rng(0).normal(0.3, 0.1, 1000).astype(np.float32)
    reached, deviations = Chance(None).measure(np.zeros((1, 2)), np.array([0.8], np.float32), scores)
    assert reached[0] == pytest.approx(1 / 1001)
    assert deviations[0] == pytest.approx(5, abs=0.5)
    _, few = Chance(None).measure(np.zeros((1, 2)), np.array([0.8], np.float32), scores[:10])
    assert np.isinf(few[0])


def test_the_shipped_pictures_with_pocket(home: Path, run: Run, pocket: object) -> None:
    """Each finds its own name first; a list ends where the picture stops fitting, and nonsense finds nothing."""
    with Engine(device="cpu", dtype="float32") as engine, engine.session("test") as opened:
        run(add("shipped", opened, [str(sample_path(row.key)) for row in SAMPLES]))
        result = index.find_table("shipped")
        for query, file in (
            ("an umbrella", "drawn-umbrella.png"),
            ("a cup of coffee", "coffee.png"),
            ("a panda", "drawn-panda.png"),
        ):
            results = ask(opened, result, parse_query(query), top=3)
            assert Path(results.hits[0].path).name == file
            assert [Path(hit.path).name for hit in results.likely] == [file]
        assert ask(opened, result, parse_query("quarterly report")).likely == ()
