"""Compare answers with true labels: accuracy with its interval, per class, and the confusion matrix.

Images that cannot be scored are counted and reported, never scored as right or wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.batch.export import read_csv
from workbench.batch.run import Row
from workbench.errors import BadInput, UnknownName
from workbench.statistics.intervals import Share, proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Evaluation:
    """The accuracy of a model, and the images left out of it."""

    accuracy: Share
    top5: Share | None  # None where there are fewer than 5 labels
    classes: dict[str, Share]  # true label -> share of its pictures that were named so
    labels: tuple[str, ...]  # of rows and columns of `confusion`
    confusion: NDArray[Any]  # (k, k) int64: pictures of true label [row] that were named [column]
    unknown: dict[str, int]  # true labels that were not among the labels -> pictures left out
    unlabelled: int  # pictures without a true label
    failed: int  # pictures with a true label that could not be read

    def left_out(self) -> str:
        """Return a sentence about the images that were not scored; empty where all were."""
        parts = []
        if self.unknown:
            names = ", ".join(f"{name!r} ({count})" for name, count in sorted(self.unknown.items())[:10])
            parts.append(f"{sum(self.unknown.values())} with a true label that was not among the labels: {names}")
        if self.unlabelled:
            parts.append(f"{self.unlabelled} without a true label")
        if self.failed:
            parts.append(f"{self.failed} that could not be read")
        return f"Left out of the count: {'; '.join(parts)}." if parts else ""


def read_truth(path: Path | str, files: Sequence[str]) -> tuple[dict[str, str], int]:
    """Read a CSV with the columns file and label; return file -> label, and the number of lines without an image.

    Args:
        path: the CSV.
        files: names of the images; a line may omit the folders where that is unambiguous.

    Raises:
        UnknownName: a column is missing.
        BadInput: not a CSV; two labels for one image; no line names an image.
    """
    headers, lines = read_csv(path)
    names = [header.strip().lower() for header in headers]
    missing = [column for column in ("file", "label") if column not in names]
    if missing:
        raise UnknownName(
            f"True labels are a CSV with the columns file and label; missing: {' and '.join(missing)}. "
            f"Columns given: {', '.join(header[:40] for header in headers[:20])}."
        )
    at_file, at_label = names.index("file"), names.index("label")
    known = _by_name(files)
    truth: dict[str, str] = {}
    unmatched = 0
    for line in lines:
        file, label = known.get(line[at_file].strip()), line[at_label].strip()
        unmatched += file is None
        if file is not None and label and truth.setdefault(file, label) != label:
            raise BadInput(f"The true labels give two labels for {file[:80]!r}: {truth[file]!r} and {label!r}.")
    if not truth:
        first = lines[0][at_file] if lines else ""
        raise BadInput(
            f"No line of the true labels names one of the images. The first line names {first[:80]!r}; "
            f"the first image is {files[0][:80]!r}."
        )
    return truth, unmatched


def folder_truth(rows: Sequence[Row]) -> dict[str, str]:
    """Use the names of a zip's folders as true labels.

    Raises:
        BadInput: no image is in a folder.
    """
    truth = {row.file: row.folder for row in rows if row.folder}
    if not truth:
        raise BadInput("Folder names can be true labels for a zip whose images are in folders; these are in none.")
    return truth


def evaluate(rows: Sequence[Row], truth: Mapping[str, str], labels: Sequence[str]) -> Evaluation:
    """Score the likeliest label of each picture against its true label.

    Args:
        rows: answers.
        truth: file -> true label.
        labels: the model's choices, "none of these" included where it was one.

    Raises:
        BadInput: none of the true labels is among the labels.
    """
    scored = [row for row in rows if not row.error and truth.get(row.file) in labels]
    labelled = [row for row in rows if row.file in truth]
    unknown = Counter(truth[row.file] for row in labelled if truth[row.file] not in labels)
    if labelled and sum(unknown.values()) == len(labelled):
        raise BadInput(f"None of the true labels is among the labels. True: {_some(unknown)}. Labels: {_some(labels)}.")
    at = {label: number for number, label in enumerate(labels)}
    confusion = np.zeros((len(at), len(at)), dtype=np.int64)
    for row in scored:
        confusion[at[truth[row.file]], at[row.ranked[0][0]]] += 1
    top5 = sum(truth[row.file] in [label for label, _, _ in row.ranked[:5]] for row in scored)
    right, per_class = confusion.diagonal(), confusion.sum(axis=1)
    return Evaluation(
        accuracy=proportion(int(right.sum()), len(scored)),
        top5=proportion(top5, len(scored)) if len(labels) >= 5 else None,
        classes={label: proportion(int(right[at[label]]), int(per_class[at[label]])) for label in at},
        labels=tuple(labels),
        confusion=confusion,
        unknown=dict(unknown),
        unlabelled=len(rows) - len(labelled),
        failed=sum(bool(row.error) and truth[row.file] in at for row in labelled),
    )


def _by_name(files: Sequence[str]) -> dict[str, str]:
    """Return full names, and file names that only one image has."""
    last = Counter(file.rsplit("/", 1)[-1] for file in files)
    short = {file.rsplit("/", 1)[-1]: file for file in files if last[file.rsplit("/", 1)[-1]] == 1}
    return {**short, **{file: file for file in files}}


def _some(names: Sequence[str] | Mapping[str, int]) -> str:
    listed = list(names)
    return ", ".join(name[:40] for name in listed[:10]) + (" …" if len(listed) > 10 else "")
