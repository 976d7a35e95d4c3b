"""Clusters and their names: planted directions are found and named, with evidence from the images left out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from workbench.errors import BadInput
from workbench.neurons.vocabulary import WordTable
from workbench.retrieval import clusters
from workbench.retrieval.clusters import _named, clusters_of, name_clusters, usual_count

WORDS = ("cat", "boat", "tree", "lamp")


def planted(*sizes: int, noise: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Images around the first axes of eight, so many a group."""
    generator = np.random.default_rng(0)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    vectors = np.eye(8)[truth] + noise * generator.normal(size=(len(truth), 8))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


def test_planted_clusters_are_found_and_named() -> None:
    vectors, truth = planted(20, 40, 30)
    result = clusters_of(vectors, 3)
    assert [int(np.count_nonzero(result == number)) for number in range(3)] == [40, 30, 20]  # the largest first
    named = name_clusters(vectors, result, WordTable(WORDS, np.eye(8, dtype=np.float32)[:4]))
    assert [one.words[0] for one in named] == ["boat", "tree", "cat"]
    assert [one.size for one in named] == [40, 30, 20]
    assert set(result[truth == 1]) == {0}
    for one in named:
        assert one.tells is not None
        assert one.shuffled is not None
        assert one.tells.value == 1.0
        assert one.tells.low is not None
        assert one.tells.low > 0.8
        assert 0.25 < one.shuffled < 0.75


def test_many_images_are_named_by_a_part_of_them_and_all_have_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "FIT", 60)
    vectors, truth = planted(100, 200, 9)
    result = clusters_of(vectors, 3)
    assert [set(truth[result == number]) for number in range(3)] == [{1}, {0}, {2}]
    named = name_clusters(vectors, result, WordTable(WORDS, np.eye(8, dtype=np.float32)[:4]))
    assert [(one.size, one.words[0]) for one in named] == [(200, "boat"), (100, "cat"), (9, "tree")]
    assert all(one.tells is not None and one.tells.value == 1.0 for one in named)  # the small one has eight to look at


def test_the_half_that_chose_the_name_is_no_evidence() -> None:
    generator = np.random.default_rng(1)
    cosines = generator.normal(size=(40, 300)).astype(np.float32)  # nothing to find, many words to try
    members, chooses = np.arange(40) < 12, generator.random(40) < 0.5
    words, tells = _named(cosines, members, chooses)
    assert tells is not None
    assert tells.value == pytest.approx(roc_auc_score(members[~chooses], cosines[~chooses, words[0]]))
    assert roc_auc_score(members[chooses], cosines[chooses, words[0]]) > tells.value + 0.2  # by choosing alone


def test_tiny_clusters_have_a_name_and_no_evidence() -> None:
    vectors, _ = planted(30, 3, noise=0.05)
    large, tiny = name_clusters(vectors, clusters_of(vectors, 2), WordTable(WORDS, np.eye(8, dtype=np.float32)[:4]))
    assert (tiny.words[0], tiny.tells, tiny.size) == ("boat", None, 3)
    assert large.words[0] == "cat"


@pytest.mark.parametrize("count", [1, 31, 6])
def test_other_counts_are_refused(count: int) -> None:
    with pytest.raises(BadInput, match="Clusters are 2 to"):
        clusters_of(planted(3, 2)[0], count)
    assert (usual_count(4), usual_count(50), usual_count(100_000)) == (2, 5, 12)
