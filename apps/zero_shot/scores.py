"""An evaluation of many pictures in words, rows and a figure.

Knows no widget and no model; the counts come from `workbench.batch.truth`.
"""

from __future__ import annotations

from typing import Any

from apps._figures import heat_map
from apps._widgets import literal
from workbench.batch.truth import Evaluation

_CLASSES = 30  # rows and columns of the confusion matrix that are drawn


def seen(evaluation: Evaluation) -> list[str]:
    """Return the labels that a confusion matrix needs: those that occur as truth or answer, at most 30."""
    counts = evaluation.confusion.sum(axis=0) + evaluation.confusion.sum(axis=1)
    return [label for label, count in zip(evaluation.labels, counts, strict=True) if count][:_CLASSES]


def confusion_rows(evaluation: Evaluation) -> list[list[str | int]]:
    """Return the matrix as a table: true label in front, then how often each label was the answer."""
    at = [evaluation.labels.index(label) for label in seen(evaluation)]
    return [[evaluation.labels[i], *(int(evaluation.confusion[i, j]) for j in at)] for i in at]


def confusion_figure(evaluation: Evaluation) -> Any:
    """Draw the matrix: true labels downwards, answers across."""
    names = seen(evaluation)
    at = [evaluation.labels.index(name) for name in names]
    drawn = heat_map(evaluation.confusion[at][:, at], names, names, title="pictures")
    drawn.update_traces(texttemplate="%{z:d}" if len(names) <= 20 else None)
    drawn.update_yaxes(title="true label")
    drawn.update_xaxes(title="answer")
    return drawn


def class_rows(evaluation: Evaluation) -> list[list[str | int | float]]:
    """Return a row a true label that occurs: how many, how often right, interval."""
    return [
        [label, part.n, round(part.value, 4), round(part.low, 4), round(part.high, 4)]
        for label, part in evaluation.classes.items()
        if part.n
    ]


def scored(evaluation: Evaluation) -> str:
    """Return accuracy in a sentence of Markdown, with what was left out."""
    lines = [f"Right: **{literal(str(evaluation.accuracy))}**."]
    if evaluation.top5 is not None:
        lines.append(f"Right within the first five: {literal(str(evaluation.top5))}.")
    return " ".join([*lines, literal(evaluation.left_out())])
