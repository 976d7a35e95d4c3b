"""A model of language that sees no image: which of two captions is the likelier sentence?

Word pairs are counted in the true captions of the other half of the clusters. What it gets right, a model can get right
without looking.

Source:
    Hsieh et al. 2023, arXiv:2306.14610, sections 3 and 4 (text-only models solve older benchmarks).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from pandas import DataFrame

from audits.captions import NEGATIVES

START, END = "<s>", "</s>"


class WordPairs:
    """Probabilities of a word after another, with one count added to each pair."""

    def __init__(self, captions: Sequence[str]) -> None:
        """Count pairs of words in captions."""
        rows = [_words(caption) for caption in captions]
        self.pairs = Counter(pair for row in rows for pair in pairwise(row))
        self.first = Counter(word for row in rows for word in row[:-1])
        self.size = len({word for row in rows for word in row}) + 1  # and one for all unknown words

    def likelihood(self, caption: str) -> float:
        """Return the mean logarithm of a word's probability, so that longer captions are not unlikelier."""
        row = _words(caption)
        steps = [(self.pairs[one, two] + 1) / (self.first[one] + self.size) for one, two in pairwise(row)]
        return sum(map(math.log, steps)) / len(steps)


def blind(rows: DataFrame) -> list[float]:
    """Return 1 for each row whose true caption is likelier than its false ones, else 0; a coin decides a tie."""
    half = [_coin(cluster) for cluster in rows["cluster"]]
    true_captions = list(zip(rows["caption"], half, strict=True))
    models = [WordPairs([str(caption) for caption, part in true_captions if part != own]) for own in (0, 1)]
    columns = [name for name in ("caption", *NEGATIVES) if name in rows.columns]
    outcomes = []
    for sample, part, cells in zip(rows["sample_id"], half, rows[columns].to_numpy(), strict=True):
        true, *false = (models[part].likelihood(str(cell)) for cell in cells if cell)
        equal = math.isclose(true, max(false), abs_tol=1e-9)
        outcomes.append(float(_coin(f"coin {sample}") if equal else true > max(false)))
    return outcomes


def _coin(name: str) -> int:
    """Return 0 or 1, always the same for a name."""
    return hashlib.sha256(name.encode()).digest()[0] % 2


def _words(caption: str) -> list[str]:
    return [START, *re.findall(r"\w+", caption.lower()), END]
