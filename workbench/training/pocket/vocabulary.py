"""Prunes BERT's 30,522 word pieces; one shard holds no more than about 13,600 of them.

Kept are all special pieces and single letters, every piece of every name in the bank, and of the rest those that
WordNet's nouns and glosses and common English words use most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

SIZE = 12_800
COMMON = 20_000  # English words by frequency
ALWAYS = 1_000_000


def tokenizer(file: Path) -> Any:
    """A lower-casing word-piece tokenizer over a `vocab.txt`, 77 tokens long."""
    from transformers import BertTokenizer

    made = BertTokenizer(vocab=str(file))
    made.model_max_length = 77
    return made


def chosen(whole: Any, *, names: Iterable[str], texts: Iterable[str], size: int = SIZE) -> Tensor:
    """Choose word pieces.

    Args:
        whole: the tokenizer with all pieces.
        names: whose pieces are all kept.
        texts: by whose pieces' count the rest is chosen.
        size: how many to keep.

    Returns:
        (size,) their numbers, ascending.
    """
    from wordfreq import top_n_list

    counts: Counter[int] = Counter()
    for weight, batch in ((ALWAYS, list(names)), (1, list(texts)), (3, top_n_list("en", COMMON))):
        for start in range(0, len(batch), 4000):
            for row in whole(batch[start : start + 4000], add_special_tokens=False)["input_ids"]:
                for piece in row:
                    counts[piece] += weight
    for piece, number in whole.get_vocab().items():
        special = piece.startswith("[") and piece.endswith("]") and not piece.startswith("[unused")
        if special or (piece.isascii() and len(piece.removeprefix("##")) == 1):
            counts[number] += ALWAYS * 1000
    pieces = sorted(number for number, _ in counts.most_common(size))
    return torch.tensor(pieces)


def write(whole: Any, pieces: Tensor, file: Path) -> None:
    """Write the kept pieces as a `vocab.txt`."""
    known = {number: piece for piece, number in whole.get_vocab().items()}
    file.write_text("\n".join(known[number] for number in pieces.tolist()) + "\n", encoding="utf-8")
