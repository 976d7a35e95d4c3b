"""Sparse dictionaries: planted directions are found, noise is not explained, measures by hand, files as written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workbench.errors import BadInput, WeightsRefused
from workbench.neurons.corpus import CorpusItem
from workbench.neurons.dictionary import DictionarySettings, SparseDictionary, learn, measure
from workbench.neurons.dictionary_file import describe_features, read_dictionary, write_dictionary
from workbench.neurons.vocabulary import WordTable
from workbench.progress import Progress

PLANTED, DIM, USED = 24, 16, 2


def planted(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Directions, the same for every seed, and n vectors that are sums of two of them."""
    directions = np.random.default_rng(1).normal(size=(PLANTED, DIM)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    generator = np.random.default_rng(seed)
    codes = np.zeros((n, PLANTED), np.float32)
    for row in codes:
        row[generator.choice(PLANTED, USED, replace=False)] = generator.uniform(0.7, 1.3, USED)
    return directions, codes @ directions


def learned(rows: np.ndarray, **changes: int) -> SparseDictionary:
    settings = {"features": 48, "active": USED, "steps": 300, "rate": 0.01, **changes}
    *steps, last = learn(rows, DictionarySettings(**settings))  # type: ignore[arg-type]
    assert all(isinstance(step, Progress) for step in steps)
    assert isinstance(last, SparseDictionary)
    return last


@pytest.fixture(scope="module")
def result() -> SparseDictionary:
    return learned(planted(1500, seed=2)[1])


def test_planted_directions_are_found(result: SparseDictionary) -> None:
    directions, fresh = planted(400, seed=3)
    assert (result.encoder.shape, result.decoder.shape) == ((48, DIM), (48, DIM))
    assert (result.bias.shape, result.mean.shape) == ((48,), (DIM,))
    assert result.encode(fresh).shape == (400, 48)
    assert result.decode(result.encode(fresh)).shape == (400, DIM)
    best = (directions @ result.decoder.T).max(axis=1)
    assert (best > 0.9).mean() > 0.75
    measures = measure(result, fresh)
    assert measures.explained > 0.85
    assert measures.active <= USED
    assert np.linalg.norm(result.decoder, axis=1) == pytest.approx(np.ones(48), abs=1e-5)


def test_noise_is_not_explained_and_seeds_disagree_on_it(result: SparseDictionary) -> None:
    noise = np.random.default_rng(0).normal(size=(1500, DIM)).astype(np.float32)
    one, two = learned(noise[:1200]), learned(noise[:1200], seed=1)
    planted_pair = measure(result, planted(400, seed=3)[1], other=learned(planted(1500, seed=2)[1], seed=1))
    noisy_pair = measure(one, noise[1200:], other=two)
    assert noisy_pair.explained < 0.6 < planted_pair.explained
    assert noisy_pair.agreement is not None
    assert planted_pair.agreement is not None
    assert noisy_pair.agreement < planted_pair.agreement - 0.1


def test_the_first_part_of_a_nested_dictionary_does_more_alone() -> None:
    rows = planted(1500, seed=2)[1]

    def alone(nested: bool) -> float:
        *_, last = learn(rows, DictionarySettings(48, USED, nested, 300, rate=0.01))
        assert isinstance(last, SparseDictionary)
        codes = last.encode(rows)
        codes[:, 12:] = 0
        return float(((rows - last.decode(codes)) ** 2).sum())

    assert alone(True) < alone(False)


def test_codes_and_measures_by_hand() -> None:
    eye = np.eye(3, dtype=np.float32)
    one = SparseDictionary(eye, np.zeros(3, np.float32), eye, np.zeros(3, np.float32), DictionarySettings(8, 1))
    rows = np.array([[3.0, 1.0, 0.0], [0.0, 1.0, 2.0]], np.float32)
    assert one.encode(rows).tolist() == [[3, 0, 0], [0, 0, 2]]
    measures = measure(one, rows, texts=np.array([[1, 0, 0], [0, 1.9, 1]], np.float32), other=one)
    spread = ((rows - rows.mean(axis=0)) ** 2).sum()
    assert measures.explained == pytest.approx(1 - 2 / spread)
    assert measures.active == 1
    assert (measures.alive.value, measures.alive.n) == (pytest.approx(2 / 3), 3)
    assert measures.kept is not None
    assert measures.kept.value == 1
    assert measures.agreement == pytest.approx(1.0)


def test_features_get_words_images_and_a_shuffled_score() -> None:
    eye = np.eye(4, dtype=np.float32)
    one = SparseDictionary(eye, np.zeros(4, np.float32), eye, np.zeros(4, np.float32), DictionarySettings(8, 1))
    table = WordTable(("a", "b", "c", "d"), eye)
    items = tuple(CorpusItem(f"word:{word}", "word", word) for word in "aab")
    codes = one.encode(np.array([[2, 0, 0, 0], [3, 0, 0, 0], [0, 1, 0, 0]], np.float32))
    first = describe_features(one, codes, items, table=table, count=2)[0]
    assert (first.number, first.words[0][0], first.uses) == (0, "a", 2)
    assert first.words[0][1] == pytest.approx(float(table.centred[0, 0]))
    assert first.strongest == (items[1], items[0])


def test_a_file_is_read_as_it_was_written(result: SparseDictionary, tmp_path: Path) -> None:
    path = tmp_path / "d.safetensors"
    write_dictionary(result, path, fingerprint="one")
    again = read_dictionary(path, fingerprint="one")
    rows = planted(10, seed=4)[1]
    assert np.array_equal(again.encode(rows), result.encode(rows))
    assert again.settings == result.settings
    with pytest.raises(WeightsRefused, match="another model"):
        read_dictionary(path, fingerprint="two")
    with pytest.raises(WeightsRefused, match="cannot be read"):
        read_dictionary(tmp_path / "none", fingerprint="one")


def test_what_cannot_be_learned_is_refused() -> None:
    for changes in ({"features": 2}, {"active": 0}, {"active": 99}, {"steps": 0}, {"seed": -1}):
        with pytest.raises(BadInput):
            learned(np.zeros((100, 4), np.float32), **changes)
    for rows in (np.zeros((10, 4), np.float32), np.full((100, 4), np.nan, np.float32)):
        with pytest.raises(BadInput, match="at least 64 vectors"):
            learned(rows)
