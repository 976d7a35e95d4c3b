"""Reads and checks a user's labels."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from workbench.errors import BadInput

MAX_LABELS = 256
MAX_LABEL = 200  # characters
TOO_MANY = 10 * MAX_LABELS  # refused unseen; below it, blanks and repeats do not count
NONE_OF_THESE = "none of these"


def parse_labels(text: str) -> tuple[str, ...]:
    """Read labels from one CSV row, or one a line where there are several lines."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1:
        return check_labels(lines)
    try:
        row = next(csv.reader(io.StringIO(lines[0] if lines else ""), skipinitialspace=True, strict=True), [])
    except csv.Error as error:
        raise BadInput(f"Labels are one CSV row, such as: cat, dog, “a, b”; {error}.") from None
    return check_labels(row)


def check_labels(labels: Sequence[str], at_least: int = 1) -> tuple[str, ...]:
    """Return distinct labels without surrounding space, in the order given.

    Raises:
        BadInput: no list of texts, fewer than `at_least`, more than 256, one over 200 characters.
    """
    if len(labels) > TOO_MANY:
        raise BadInput(f"At most {MAX_LABELS} labels; got {len(labels)}.")
    if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
        raise BadInput(f"Labels are a list of texts, such as ['cat', 'dog']; got {str(labels)[:80]!r}.")
    kept = tuple(dict.fromkeys(label.strip() for label in labels if label.strip()))
    if len(kept) < at_least:
        raise BadInput(f"Give at least {at_least} distinct label(s), separated by commas; got {len(kept)}.")
    if len(kept) > MAX_LABELS:
        raise BadInput(f"At most {MAX_LABELS} labels; got {len(kept)}.")
    for label in kept:
        if len(label) > MAX_LABEL:
            raise BadInput(f"A label may have at most {MAX_LABEL} characters; one has {len(label)}: {label[:40]!r}…")
    return kept


def check_names(labels: Sequence[str], none_of_these: bool = False) -> tuple[str, ...]:
    """Return distinct labels, among which "none of these" does not stand where it is added.

    Raises:
        BadInput: see `labels.check_labels`.
    """
    names = check_labels(labels)
    if none_of_these and NONE_OF_THESE in names:
        raise BadInput(f"{NONE_OF_THESE!r} is added on request; take it out of the labels.")
    return names


def meant(word: str, labels: Sequence[str]) -> str:
    """Return the label that a word means, whatever its capitals (“DOG” means “dog”); the word where there is none."""
    return next((label for label in labels if label.casefold() == word.casefold()), word)


def with_words(labels: Sequence[str], words: Sequence[str]) -> tuple[str, ...]:
    """Return labels, then the words that mean none of them: what is no label cannot be the answer.

    Raises:
        BadInput: see `check_labels`.
    """
    every = list(labels)
    for word in words:
        if meant(word, every) not in every:
            every.append(word)
    return check_labels(every)
