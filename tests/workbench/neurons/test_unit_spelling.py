"""Spelling: planted patterns of letters are found and scored, noise has none, and a page names a unit by it last."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm

from workbench.loading import load
from workbench.neurons.activations import Survey
from workbench.neurons.atlas import Atlas, find_atlas
from workbench.neurons.corpus import CorpusItem
from workbench.neurons.naming import Name
from workbench.neurons.page import fragment
from workbench.neurons.spelling import LONGEST, SHARED, Spelling, WrittenWords, patterns, spelling
from workbench.neurons.unit import UnitReport, report
from workbench.neurons.unit_map import unit_map
from workbench.neurons.vocabulary import common_words

WORDS = [word for word in common_words() if word.isalpha()]
ENDING, BEGINNING, LETTERS, LENGTH, ONE_WORD, NOISE, CONSTANT = range(7)


@pytest.fixture(scope="module")
def planted() -> Survey:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(len(WORDS) + 60, 7)).astype(np.float32)
    holds = {
        ENDING: [word.endswith("k") for word in WORDS],
        BEGINNING: [word.startswith("br") for word in WORDS],
        LETTERS: ["oo" in word for word in WORDS],
        LENGTH: [len(word) >= 8 for word in WORDS],
    }
    for unit, words in holds.items():
        values[: len(WORDS), unit] += 3 * np.array(words)
    values[WORDS.index("cat"), ONE_WORD] += 40
    values[:, CONSTANT] = 0.5
    items = [CorpusItem(f"word:{word}", "word", word) for word in WORDS]
    items += [CorpusItem(f"drawing:{number}", "drawing", f"thing{number}") for number in range(60)]
    return Survey(tuple(items), "last", values, np.zeros((len(items), 4), np.float32), "planted", ())


@pytest.fixture(scope="module")
def pocket() -> Atlas:
    result = find_atlas(load("pocket"), "last")
    assert result is not None
    return result


def seen(survey: Survey, unit: int) -> Spelling:
    result = spelling(survey, unit)
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("unit", "pattern"),
    [
        (ENDING, "that end with “k”"),
        (BEGINNING, "that begin with “br”"),
        (LETTERS, "with “oo”"),
        (LENGTH, "of 8 letters or more"),
    ],
)
def test_planted_patterns_are_found(planted: Survey, unit: int, pattern: str) -> None:
    result = seen(planted, unit)
    assert result.pattern == pattern
    assert result.above_chance
    assert result.names_it
    assert result.auroc.value == pytest.approx(norm.cdf(3 / np.sqrt(2)), abs=0.03)  # three deviations apart


def test_noise_one_word_and_nothing_have_no_pattern(planted: Survey) -> None:
    assert not any(seen(planted, unit).above_chance for unit in (NOISE, ONE_WORD, CONSTANT))
    result = WrittenWords(planted)
    rng = np.random.default_rng(1)
    noise = replace(planted, values=rng.normal(size=(len(planted.items), 100)).astype(np.float32))
    alarms = [seen(noise, unit).above_chance for unit in range(100)]
    assert np.mean(alarms) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 100)
    assert np.abs(result.scores(result.ranks(noise.values)).std() - 1) < 0.05  # in standard deviations, as is said


@pytest.mark.parametrize("unit", [LETTERS, LENGTH])
def test_a_score_is_mann_and_whitneys(planted: Survey, unit: int) -> None:
    result, written = seen(planted, unit), WrittenWords(planted)
    assert written.ranks(planted.values).shape == (len(WORDS), 7)
    assert written.scores(written.ranks(planted.values)).shape == (len(written.patterns), 7)
    own = planted.of(unit)[: len(WORDS)]
    has = np.array(["oo" in word if unit == LETTERS else len(word) >= 8 for word in WORDS])
    theirs = mannwhitneyu(own[has], own[~has])
    middle, spread = has.sum() * (~has).sum() / 2, (has.sum() * (~has).sum() * (len(WORDS) + 1) / 12) ** 0.5
    assert result.score == pytest.approx((theirs.statistic - middle) / spread, rel=1e-5)
    assert result.auroc.value == pytest.approx(theirs.statistic / has.sum() / (~has).sum())
    assert (result.count, result.total) == (has.sum(), len(WORDS))
    strongest = [WORDS[n] for n in np.argsort(-own) if has[n]]
    assert list(result.words) == strongest[: len(result.words)]


def test_patterns_are_shared_by_some_words_and_each_counts_once() -> None:
    names, shared = patterns(WORDS)
    assert shared.shape == (len(names), len(WORDS))
    assert shared.sum(axis=1).min() >= SHARED
    assert shared.sum(axis=1).max() <= len(WORDS) / 2
    assert len({row.tobytes() for row in shared}) == len(names)
    for name, row in zip(names, shared, strict=True):
        text = name.split("“")[-1].rstrip("”")
        holds = {
            "with": lambda word, text=text: text in word,
            "that begin": lambda word, text=text: word.startswith(text),
            "that end": lambda word, text=text: word.endswith(text),
        }
        kind = next((kind for kind in ("that begin", "that end", "with") if name.startswith(kind)), "")
        if kind:
            assert len(text) <= LONGEST
            assert row.tolist() == [holds[kind](word) for word in WORDS]
        else:
            size, more = int(name.split()[1]), name.endswith("more")
            assert row.tolist() == [len(word) >= size if more else len(word) <= size for word in WORDS]


def test_a_corpus_of_few_words_says_nothing(planted: Survey) -> None:
    places = [*range(40), *range(len(WORDS), len(planted.items))]
    few = replace(planted, items=tuple(planted.items[n] for n in places), values=planted.values[places])
    assert spelling(few, ENDING) is None


def test_letters_name_a_unit_only_where_the_word_alone_is_evidence(pocket: Atlas) -> None:
    def described(unit: int) -> UnitReport:
        return report(pocket, unit, model=("Pocket", "pocket"))

    read = described(118)  # key, city, sky, fly, cry, toy
    assert read.title == "unit 118: written words that end with “y”"
    assert "those that end with “y” stand out most" in fragment(read, "names")
    directed = replace(read, names=(Name("key", 9.0, 1.0, 2.0, {"drawing": 0.0, "word": 9.0, "direction": 6.0}),))
    pictured = replace(read, names=(Name("key", 9.0, 1.0, 2.0, {"drawing": 4.0, "word": 4.0}),))
    written = replace(read, names=(Name("key", 9.0, 1.0, 2.0, {"drawing": 0.1, "word": 9.0}),))
    assert pictured.title == directed.title == "unit 118: key"
    assert written.title == read.title
    assert replace(written, spelling=None).title == "unit 118: the word “key”"
    assert any(name.startswith("the word “") for name in unit_map(pocket).names)
    assert replace(written, names=(), spelling=None).title == "unit 118"
    no_pictures = Name("key", 9.0, 1.0, 2.0, {"direction": 4.0, "dissection": 4.0})  # of a folder
    assert replace(read, names=(no_pictures,)).title == "unit 118: key"


def test_most_units_of_pocket_read_letters_and_shuffled_ones_do_not(pocket: Atlas) -> None:
    written = WrittenWords(pocket.survey)
    ranks = written.ranks(pocket.survey.values)
    rng = np.random.default_rng(0)
    limit = np.percentile(written.scores(rng.permutation(ranks)).max(axis=0), 95)
    assert (written.scores(ranks).max(axis=0) > limit).mean() > 0.9
    assert (written.scores(rng.permutation(ranks)).max(axis=0) > limit).mean() < 0.08
