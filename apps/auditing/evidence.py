"""The images behind one number of a report: which were counted, which were not, and the model's answers.

Images of people, drawn ones included, are left out unless they are requested. Does not know about widgets.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audits.analysis import Finding
from audits.contracts import OUTCOME
from audits.datasets import readers
from audits.run_directory.reader import Run
from workbench.errors import BadInput, BadPicture
from workbench.images import safe_open

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image

MOST = 24  # images shown at once
SIDE = 192  # pixels of a thumbnail's longer side


@dataclass(frozen=True)
class Evidence:
    """The rows and images that one number is computed from."""

    text: str
    rows: list[list[str]]  # image, form, counted, answer, truth
    images: list[tuple[Image.Image, str]]  # thumbnail, caption; empty where they are left out


def evidence(run: Run, metric: str, slice_: dict[str, str], *, label_set: str = "", people: bool = False) -> Evidence:
    """Return the samples that a number counts, those that are counted with 1 last where most are, else first.

    Raises:
        BadInput: the number is no mean over images.
    """
    counted_rows = rows_behind(run.samples(), metric, slice_, label_set=label_set)
    counted = counted_rows[OUTCOME + metric].astype(float)
    rare = bool(counted.mean() <= 0.5)
    shown = counted_rows.assign(counted_=counted).sort_values(
        ["counted_", "sample_id", "variant"], ascending=[not rare, True, True], kind="stable"
    )[:MOST]
    rows = [
        [str(row.sample_id), str(row.variant), f"{row.counted_:g}", _text(row, "y_pred"), _text(row, "y_true")]
        for row in shown.itertuples(index=False)
    ]
    where = ", ".join(f"{key} {value}" for key, value in slice_.items()) or "all"
    text = f"{metric}, {where}: {counted.sum():g} of {len(counted_rows)} rows count. The first {len(shown)} are shown."
    if run.header.dataset.people and not people:
        return Evidence(text + " Images of people are hidden unless you tick the box.", rows, [])
    return Evidence(text, rows, _thumbnails(run, shown))


def evidence_of(run: Run, finding: Finding, *, people: bool = False) -> Evidence:
    """Return the samples that a finding is about.

    Where its metric is a difference or a gap, these are the samples of what it is a difference of, else of the first
    metric that is counted image by image; of its slice, what the samples know.

    Raises:
        BadInput: nothing of this run is counted image by image.
    """
    columns = [str(name) for name in run.samples().columns]
    counted = [name.removeprefix(OUTCOME) for name in columns if name.startswith(OUTCOME)]
    if not counted:
        raise BadInput(
            "The images behind this finding are not stored: nothing of this audit is counted image by image."
        )
    near = sorted(counted, key=lambda name: (name != finding.metric, not finding.metric.startswith(name)))
    known = {key: value for key, value in (finding.slice or {}).items() if key in columns}
    return evidence(run, near[0], known, label_set=finding.label_set, people=people)


def rows_behind(samples: pd.DataFrame, metric: str, slice_: dict[str, str], *, label_set: str = "") -> pd.DataFrame:
    """Return the rows of the samples that a metric's value in a slice is the mean of.

    Raises:
        BadInput: the metric is not counted image by image, or the slice is none of the samples' columns.
    """
    if OUTCOME + metric not in samples.columns:
        per_image = sorted(name.removeprefix(OUTCOME) for name in samples.columns if name.startswith(OUTCOME))
        raise BadInput(f"{metric!r} is not counted image by image. These are: {', '.join(per_image) or 'none'}.")
    rows = samples[samples[OUTCOME + metric].notna()]
    if label_set and "label_set" in rows.columns and (rows["label_set"] == label_set).any():
        rows = rows[rows["label_set"] == label_set]
    for key, value in slice_.items():
        if key not in rows.columns:
            raise BadInput(f"The images behind this row are not stored: the samples have no column {key!r}.")
        rows = rows[rows[key].astype(str) == value]
    if rows.empty:
        raise BadInput("No image is behind this row.")
    return rows


def slice_of(text: str) -> dict[str, str]:
    """Return a slice from its canonical JSON."""
    return {str(key): str(value) for key, value in json.loads(text or "{}").items()}


def in_words(slice_: dict[str, str]) -> str:
    """Return a slice as a table shows it: "age=adult, gender=female"; empty for all."""
    return ", ".join(f"{key}={value}" for key, value in slice_.items())


def _thumbnails(run: Run, shown: pd.DataFrame) -> list[tuple[Image.Image, str]]:
    dataset = readers.read(run.header.spec.dataset, limit=run.header.spec.limit)
    paths = dict(zip(dataset.table["sample_id"], dataset.table["path"], strict=True))
    images = []
    for row in shown.itertuples(index=False):
        path = paths.get(row.sample_id)
        if path is None:
            continue
        try:
            image = safe_open(dataset.file(path), shorter=SIDE)
        except BadPicture:
            continue
        image.thumbnail((SIDE, SIDE))
        answer = _text(row, "y_pred")
        form = "" if row.variant == "clean" else f" ({row.variant}; shown clean)"
        images.append((image, f"{row.sample_id}{form}" + (f": {answer}" if answer else "")))
    return images


def _text(row: Any, name: str) -> str:
    value = getattr(row, name, "")
    return "" if value is None or value != value else str(value)
