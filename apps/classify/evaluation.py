"""An evaluation against true labels, as sentences, tables and a figure."""

from __future__ import annotations

from typing import Any

from apps.shared.charts import heat_map
from apps.shared.markdown import literal
from workbench.batch.run import Row
from workbench.batch.truth import Evaluation, folder_truth, read_truth

_CLASSES = 30  # rows and columns of the confusion matrix that are drawn


def occurring(evaluation: Evaluation) -> list[str]:
    """Return the labels that a confusion matrix needs: those that occur as truth or answer, at most 30."""
    counts = evaluation.confusion.sum(axis=0) + evaluation.confusion.sum(axis=1)
    return [label for label, count in zip(evaluation.labels, counts, strict=True) if count][:_CLASSES]


def confusion_rows(evaluation: Evaluation) -> list[list[str | int]]:
    """Return the matrix as a table: true label in front, then how often each label was the answer."""
    at = [evaluation.labels.index(label) for label in occurring(evaluation)]
    return [[evaluation.labels[i], *(int(evaluation.confusion[i, j]) for j in at)] for i in at]


def confusion_figure(evaluation: Evaluation) -> Any:
    """Draw the matrix: true labels downwards, answers across."""
    names = occurring(evaluation)
    at = [evaluation.labels.index(name) for name in names]
    drawn = heat_map(evaluation.confusion[at][:, at], names, names, title="images")
    drawn.update_yaxes(title="true label")
    drawn.update_xaxes(title="answer")
    return drawn


def class_rows(evaluation: Evaluation) -> list[list[str | int | float]]:
    """Return a row per true label that occurs: how many, how often right, interval."""
    return [
        [label, part.n, *(round(number or 0.0, 4) for number in (part.value, part.low, part.high))]
        for label, part in evaluation.classes.items()
        if part.n
    ]


def scored(evaluation: Evaluation) -> str:
    """Return accuracy in a sentence of Markdown, with what was left out."""
    lines = [f"Accuracy: **{literal(str(evaluation.accuracy))}**."]
    if evaluation.top5 is not None:
        lines.append(f"Among the first five: {literal(str(evaluation.top5))}.")
    return " ".join([*lines, literal(evaluation.left_out())])


def truth_of(rows: tuple[Row, ...], csv_file: str | None, folders: bool) -> tuple[dict[str, str], str]:
    """Return true labels by file, and a remark on lines that match no image; empty where none are given."""
    if csv_file:
        truth, unmatched = read_truth(csv_file, [row.file for row in rows])
        return truth, f" {unmatched} line(s) of the true labels match no image here." if unmatched else ""
    return (folder_truth(rows), "") if folders else ({}, "")
