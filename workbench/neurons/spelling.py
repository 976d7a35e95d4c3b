"""What written words that a unit responds to have in common: letters, a beginning, an ending, or their length.

A unit that is strongest for “sheep”, “goose” and “shop” reads letters; the name of a thing would mislead. Patterns
are compared by the ranks of a unit's activations on written words, and the best one with the best of shuffled units.

Source:
    Ranks of two groups: Mann and Whitney 1947, Ann. Math. Stat. 18:50.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.neurons.naming import FEWEST, SHUFFLES
from workbench.statistics.intervals import Interval, auroc

if TYPE_CHECKING:
    from workbench.neurons.activations import Survey

SHARED = 8  # words that share a pattern, at least; at most half of all words
LONGEST = 3  # letters of a pattern
SHOWN = 6  # strongest words with the pattern
TELLS = 0.8  # AUROC, from which on a pattern may name a unit


@dataclass(frozen=True)
class Spelling:
    """The pattern that written words have in common which a unit responds to."""

    pattern: str  # "with “oo”", "that end with “k”", "of 8 letters or more"
    score: float  # standard deviations between the mean rank of these words and what words drawn at random have
    shuffled: float  # what the best pattern gets for a shuffled unit, on average
    limit: float  # the highest of those: 20 shuffles, so one noise unit in 21 has a pattern above it
    auroc: Interval  # of activation, words with the pattern against words without
    words: tuple[str, ...]  # strongest words with the pattern
    count: int  # words with the pattern
    total: int  # written words

    @property
    def above_chance(self) -> bool:
        """Whether the pattern stands out more than for any of the shuffled units."""
        return self.score > self.limit

    @property
    def names_it(self) -> bool:
        """Whether the pattern is above chance and tells words apart so well that it may name the unit."""
        return self.above_chance and self.auroc.low is not None and self.auroc.low >= TELLS


class WrittenWords:
    """The written words of a corpus, w of them, and the p patterns that some of them share."""

    def __init__(self, survey: Survey) -> None:
        self.places = np.array([n for n, item in enumerate(survey.items) if item.form == "word"], np.intp)
        self.words = [survey.items[n].concept.lower() for n in self.places]
        self.patterns, self.shared = patterns(self.words if len(self.words) >= FEWEST else [])

    def ranks(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, u) activations -> (w, u) ranks among the written words, in standard deviations from their mean."""
        from scipy.stats import rankdata

        ranked = rankdata(values[self.places], axis=0)
        spread = ranked.std(axis=0)
        standard: NDArray[np.float32] = ((ranked - ranked.mean(axis=0)) / np.where(spread > 0, spread, np.inf)).astype(
            np.float32
        )
        return standard

    def scores(self, ranks: NDArray[np.float32]) -> NDArray[np.float32]:
        """(w, u) ranks -> (p, u): how far each pattern's words lie, on average, above words drawn at random."""
        sizes, total = self.shared.sum(axis=1), len(self.words)
        spread = np.sqrt(sizes * (total - sizes) / (total - 1))[:, None]
        scores: NDArray[np.float32] = (self.shared.astype(np.float32) @ ranks / spread).astype(np.float32)
        return scores


def patterns(words: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
    """Return p patterns in words, and (p, w) which words share each; patterns with the same words are one."""
    holders: dict[str, set[int]] = {}
    for number, word in enumerate(words):
        for size in range(1, LONGEST + 1):
            for start in range(len(word) - size + 1):
                holders.setdefault(f"with “{word[start : start + size]}”", set()).add(number)
            if len(word) > size:
                holders.setdefault(f"that begin with “{word[:size]}”", set()).add(number)
                holders.setdefault(f"that end with “{word[-size:]}”", set()).add(number)
        for length in range(3, len(word) + 1):
            holders.setdefault(f"of {length} letters or more", set()).add(number)
        for length in range(len(word), 12):
            holders.setdefault(f"of {length} letters or fewer", set()).add(number)
    first: dict[frozenset[int], str] = {}
    for text, numbers in holders.items():
        if SHARED <= len(numbers) <= len(words) / 2:
            first.setdefault(frozenset(numbers), text)
    shared = np.zeros((len(first), len(words)), dtype=bool)
    for row, numbers_of in enumerate(first):
        shared[row, list(numbers_of)] = True
    return tuple(first.values()), shared


def spelling(survey: Survey, unit: int, *, seed: int = 0) -> Spelling | None:
    """Return the pattern that stands out most for a unit; None where the corpus has too few written words.

    Args:
        survey: of the unit's layer.
        unit: its number.
        seed: of the shuffles.
    """
    written = WrittenWords(survey)
    if not written.patterns:
        return None
    values = survey.values[:, [unit]]
    ranks = written.ranks(values)
    scores = written.scores(ranks)[:, 0]
    generator = np.random.default_rng(seed)
    mixed = np.concatenate([generator.permutation(ranks) for _ in range(SHUFFLES)], axis=1)
    chance = written.scores(mixed).max(axis=0)
    best = int(scores.argmax())
    own = survey.of(unit)[written.places]
    order = [int(n) for n in np.argsort(-own, kind="stable") if written.shared[best, n]]
    return Spelling(
        written.patterns[best],
        float(scores[best]),
        float(chance.mean()),
        float(chance.max()),
        auroc(own, written.shared[best]),
        tuple(written.words[n] for n in order[:SHOWN]),
        len(order),
        len(written.words),
    )
