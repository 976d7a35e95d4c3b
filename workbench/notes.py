"""What a reader must know before believing a zero-shot answer: cut texts, foreign words, one label, sigmoid scores.

Knows no screen; each note is one plain sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.labels import NONE_OF_THESE
from workbench.prompts import fill
from workbench.text import language_note

if TYPE_CHECKING:
    from workbench.backend import ClipBackend
    from workbench.zeroshot import Classification

NAMED = 3  # labels that a note names before it says "and more"


def notes(backend: ClipBackend, answer: Classification, templates: Sequence[str]) -> list[str]:
    """Return the notes that this answer needs, most important first; often none."""
    labels = [label for label in answer.labels if label != NONE_OF_THESE]
    found = [*_cut(backend, labels, templates)]
    if foreign := language_note(labels, backend.spec):
        found.append(foreign)
    if answer.score == "sigmoid":
        found.append("This model scores each label on its own (sigmoid): the probabilities need not sum to 1.")
    elif len(answer.labels) == 1:
        found.append(
            "With a single label the probability is 100 % whatever the picture shows: a softmax only compares. "
            "Add other labels or “none of these”, or read the raw cosine."
        )
    if NONE_OF_THESE in answer.labels:
        how = "is what no label claims" if answer.score == "sigmoid" else "competes as an unspecific “thing”"
        found.append(f"“none of these” {how}: a hint, which misses many absent things.")
    return found


def _cut(backend: ClipBackend, labels: Sequence[str], templates: Sequence[str]) -> list[str]:
    """Look at each label in the longest template only: where that one fits, all fit."""
    longest = max(templates, key=len)
    readings = backend.read([fill(longest, label) for label in labels])
    cut = [(label, reading) for label, reading in zip(labels, readings, strict=True) if reading.cut]
    said = [f"“{label[:40]}…”: {reading.note}." for label, reading in cut[:NAMED]]
    return [*said, f"… and {len(cut) - NAMED} more labels are cut off."] if len(cut) > NAMED else said
