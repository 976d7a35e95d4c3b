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
    chosen, explained = _pursue(direction, lexicon, words)
    generator = np.random.default_rng(seed)
    others = [_pursue(generator.permutation(direction), lexicon, words)[1] for _ in range(3)]
    return SparseCode(tuple(chosen), explained, float(np.mean(others)))


def _pursue(direction: NDArray[np.float32], lexicon: WordTable, words: int) -> tuple[list[tuple[str, float]], float]:
    """Orthogonal matching pursuit, in a few lines: to load scikit-learn's took longer than all else about a unit."""
    target, rows = direction / max(float(np.linalg.norm(direction)), 1e-9), lexicon.centred
    chosen, weights, left = list[int](), np.zeros(0, np.float32), target
    for _ in range(min(words, *rows.shape)):
        alike = np.abs(rows @ left)
        alike[chosen] = 0
        if alike.max() < 1e-6:
            break
        chosen.append(int(alike.argmax()))
        weights, *_ = np.linalg.lstsq(rows[chosen].T, target, rcond=None)
        left = target - weights @ rows[chosen]
    order = np.argsort(-np.abs(weights), kind="stable")
    return [(lexicon.words[chosen[at]], float(weights[at])) for at in order], 1.0 - float((left**2).sum())
