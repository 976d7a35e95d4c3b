"""Warnings beside a zero-shot answer: truncated, foreign and untaught labels, a single label, sigmoid scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.labels import NONE_OF_THESE
from workbench.languages import language_note
from workbench.prompts import fill
from workbench.taught.words import taught_notes

if TYPE_CHECKING:
    from workbench.backend import ClipBackend
    from workbench.zeroshot import Classification

NAMED = 3  # labels that a note names before it says "and more"


def notes(backend: ClipBackend, answer: Classification, templates: Sequence[str]) -> list[str]:
    """Return the notes that this answer needs, most important first; often none."""
    labels = [label for label in answer.labels if label != NONE_OF_THESE]
    warnings = [*_cut(backend, labels, templates)]
    if foreign := language_note(labels, backend.spec):
        warnings.append(foreign)
    warnings += taught_notes(backend.spec, labels)
    if answer.score == "sigmoid":
        warnings.append("This model scores each label separately (sigmoid): the probabilities need not sum to 1.")
    elif len(answer.labels) == 1:
        warnings.append(
            "With a single label the softmax probability is always 100 %. "
            "Add other labels or “none of these”, or read the raw cosine."
        )
    if NONE_OF_THESE in answer.labels:
        how = (
            "is the probability that no label fits"
            if answer.score == "sigmoid"
            else "adds a generic background class, “thing”"
        )
        warnings.append(f"“none of these” {how}: a rough hint that often fails.")
    return warnings


def _cut(backend: ClipBackend, labels: Sequence[str], templates: Sequence[str]) -> list[str]:
    """Check each label in the longest template only: if that fits, all templates fit."""
    longest = max(templates, key=len)
    readings = backend.read([fill(longest, label) for label in labels])
    cut = [(label, reading) for label, reading in zip(labels, readings, strict=True) if reading.cut]
    texts = [f"“{label[:40]}…”: {reading.note}." for label, reading in cut[:NAMED]]
    return [*texts, f"… and {len(cut) - NAMED} more labels are truncated."] if len(cut) > NAMED else texts
