"""What a reader must know before believing a zero-shot answer: cut texts, foreign words, one label, sigmoid scores.

Knows no screen; each note is one plain sentence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.labels import NONE_OF_THESE
from workbench.prompts import fill

if TYPE_CHECKING:
    from workbench.backend import ClipBackend
    from workbench.zeroshot import Classification

NAMED = 3  # labels that a note names before it says "and more"


def notes(backend: ClipBackend, answer: Classification, templates: Sequence[str]) -> list[str]:
    """Return the notes that this answer needs, most important first; often none."""
    labels = [label for label in answer.labels if label != NONE_OF_THESE]
    found = [*_cut(backend, labels, templates)]
    if backend.spec.english_only and (foreign := [label for label in labels if not _looks_english(label)]):
        found.append(
            f"This model learned from English texts; {_some(foreign)} may mean little to it. Try the English word."
        )
    if answer.score == "sigmoid":
        found.append("This model scores each label on its own (sigmoid): the probabilities need not sum to 1.")
    elif len(answer.labels) == 1:
        found.append(
            "With a single label the probability is 100 % whatever the picture shows: a softmax only compares. "
            "Add other labels or “none of these”, or read the raw cosine."
        )
    if NONE_OF_THESE in answer.labels:
        found.append("“none of these” is a hint: it competes as an unspecific “thing”, and misses many absent things.")
    return found


def _cut(backend: ClipBackend, labels: Sequence[str], templates: Sequence[str]) -> list[str]:
    """Look at each label in the longest template only: where that one fits, all fit."""
    longest = max(templates, key=len)
    readings = backend.read([fill(longest, label) for label in labels])
    cut = [(label, reading) for label, reading in zip(labels, readings, strict=True) if reading.cut]
    said = [f"“{label[:40]}…”: {reading.note}." for label, reading in cut[:NAMED]]
    return [*said, f"… and {len(cut) - NAMED} more labels are cut off."] if len(cut) > NAMED else said


def _looks_english(label: str) -> bool:
    """True unless a letter is not a basic Latin one; words of Latin-script languages cannot be told by that."""
    letters = [char for char in unicodedata.normalize("NFC", label) if char.isalpha()]
    return all(char.isascii() for char in letters)


def _some(labels: Sequence[str]) -> str:
    named = ", ".join(f"“{label[:40]}”" for label in labels[:NAMED])
    return named if len(labels) <= NAMED else f"{named} and {len(labels) - NAMED} more"
