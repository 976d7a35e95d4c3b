"""Hubs: the bank's normalisation by hand, and a planted hub that the correction ranks down."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.retrieval import hubs
from workbench.retrieval.hubs import BETA, QueryBank
from workbench.retrieval.memory import TableVectors


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def kept(vectors: np.ndarray) -> TableVectors:
    return TableVectors(np.arange(len(vectors), dtype=np.uint64), vectors, True, len(vectors))


def test_scores_are_divided_by_the_banks_where_the_first_answer_is_a_hub() -> None:
    table = kept(unit(np.array([[1.0, 0.0], [0.6, 0.8], [0.0, -1.0]])))
    bank = unit(np.array([[1.0, 0.2], [1.0, 0.1]]))  # both answer with the first row
    cosines = np.array([0.8, 0.7, 0.1], np.float32)
    sums = np.exp(BETA * bank @ table.vectors.T).sum(axis=0)
    np.testing.assert_allclose(QueryBank(bank).scores(table, cosines), np.exp(BETA * cosines) / sums, rtol=1e-4)
    other = np.array([0.1, 0.7, 0.2], np.float32)  # the second row is no hub: nothing changes
    assert QueryBank(bank).scores(table, other) is other


def test_a_table_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = unit(np.random.default_rng(1).normal(size=(11, 4)))
    bank, cosines = unit(vectors[[9, 10]] + 0.01), (vectors @ vectors[10]).astype(np.float32)
    whole = QueryBank(bank).scores(kept(vectors), cosines)
    monkeypatch.setattr(hubs, "CHUNK", 3)
    parts = QueryBank(bank).scores(kept(vectors), cosines)
    np.testing.assert_allclose(parts, whole, rtol=1e-5)
    assert not np.array_equal(whole, cosines)  # row 10 is a hub


def test_a_planted_hub_is_ranked_down_and_hubness_falls() -> None:
    generator = np.random.default_rng(0)
    images = unit(generator.normal(size=(60, 16)))
    queries = unit(images + 0.25 * generator.normal(size=(60, 16)))
    bank = unit(generator.normal(size=(300, 16)) + 0.8)
    hub = unit(np.ones((1, 16)))  # near to all of the bank
    table = kept(np.concatenate([images, hub]))
    tilted = unit(queries + 1.2 * hub)
    result = [QueryBank(bank).scores(table, table.vectors @ query) for query in tilted]
    plain = np.mean([np.argmax(table.vectors @ query) == at for at, query in enumerate(tilted)])
    corrected = np.mean([np.argmax(scores) == at for at, scores in enumerate(result)])
    assert corrected > plain + 0.2
    before, after = QueryBank(bank).hubness(table)
    assert after < before
