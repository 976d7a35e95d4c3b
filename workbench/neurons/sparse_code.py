"""A unit's direction as a sum of few words, beside what the same method makes of a shuffled direction.

Source:
    Gandelsman et al. 2024, arXiv:2406.04341, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.neurons.vocabulary import WordTable


@dataclass(frozen=True)
class SparseCode:
    """A direction as a sum of few words."""

    words: tuple[tuple[str, float], ...]  # word, coefficient; the largest first
    explained: float  # share of the direction's squared length, 0..1
    shuffled: float  # the same for a direction with its numbers in another order


def sparse_code(direction: NDArray[np.float32], lexicon: WordTable, *, words: int = 5, seed: int = 0) -> SparseCode:
    """Write a direction, (dim,), as a sum of few words by orthogonal matching pursuit."""
    found, explained = _pursue(direction, lexicon, words)
    generator = np.random.default_rng(seed)
    others = [_pursue(generator.permutation(direction), lexicon, words)[1] for _ in range(3)]
    return SparseCode(tuple(found), explained, float(np.mean(others)))


def _pursue(direction: NDArray[np.float32], lexicon: WordTable, words: int) -> tuple[list[tuple[str, float]], float]:
    from sklearn.linear_model import orthogonal_mp

    target = direction / max(float(np.linalg.norm(direction)), 1e-9)
    rows = lexicon.centred
    weights = orthogonal_mp(rows.T, target, n_nonzero_coefs=min(words, *rows.shape))
    explained = 1.0 - float(((target - rows.T @ weights) ** 2).sum())
    chosen = sorted(np.flatnonzero(weights), key=lambda word: -abs(weights[word]))
    return [(lexicon.words[word], float(weights[word])) for word in chosen], explained
