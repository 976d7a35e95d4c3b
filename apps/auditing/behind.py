"""The pictures behind one number of a report: which were counted, which were not, and what the model answered.

Knows no widget. Pictures of people, drawn ones included, are left out unless they are asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audits.contracts import OUTCOME
from audits.datasets import readers
from audits.run_directory.reader import Run
from workbench.errors import BadInput, BadPicture
from workbench.images import safe_open

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image

MOST = 24  # pictures of one look
SIDE = 192  # pixels of a thumbnail's longer side


@dataclass(frozen=True)
class Look:
    """What stands behind one number."""

    said: str
    rows: list[list[str]]  # picture, form, counted, answer, truth
    pictures: list[tuple[Image.Image, str]]  # thumbnail, caption; empty where they are left out


def look(run: Run, metric: str, slice_: dict[str, str], *, label_set: str = "", people: bool = False) -> Look:
    """Return the samples that a number counts, those that are counted with 1 last where most are, else first.

    Raises:
        BadInput: the number is no mean over pictures.
    """
    found = behind(run.samples(), metric, slice_, label_set=label_set)
    counted = found[OUTCOME + metric].astype(float)
    rare = bool(counted.mean() <= 0.5)
    shown = found.assign(counted_=counted).sort_values(
        ["counted_", "sample_id", "variant"], ascending=[not rare, True, True], kind="stable"
    )[:MOST]
    rows = [
        [str(row.sample_id), str(row.variant), f"{row.counted_:g}", _text(row, "y_pred"), _text(row, "y_true")]
        for row in shown.itertuples(index=False)
    ]
    where = ", ".join(f"{key} {value}" for key, value in slice_.items()) or "everybody"
    said = f"{metric}, {where}: {counted.sum():g} of {len(found)} rows count. The first {len(shown)} are shown."
    if run.header.dataset.people and not people:
        return Look(said + " Pictures of people are not shown unless you ask for them.", rows, [])
    return Look(said, rows, _thumbnails(run, shown))


def behind(samples: pd.DataFrame, metric: str, slice_: dict[str, str], *, label_set: str = "") -> pd.DataFrame:
    """Return the rows of the samples that a metric's value in a slice is the mean of.

    Raises:
        BadInput: the metric is not counted picture by picture, or the slice is none of the samples' columns.
    """
    if OUTCOME + metric not in samples.columns:
        per_picture = sorted(name.removeprefix(OUTCOME) for name in samples.columns if name.startswith(OUTCOME))
        raise BadInput(f"{metric!r} is not counted picture by picture. These are: {', '.join(per_picture) or 'none'}.")
    found = samples[samples[OUTCOME + metric].notna()]
    if label_set and "label_set" in found.columns and (found["label_set"] == label_set).any():
        found = found[found["label_set"] == label_set]
    for key, value in slice_.items():
        if key not in found.columns:
            raise BadInput(f"The pictures behind this row are not kept: the samples have no column {key!r}.")
        found = found[found[key].astype(str) == value]
    if found.empty:
        raise BadInput("No picture stands behind this row.")
    return found


def slice_of(text: str) -> dict[str, str]:
    """Return a slice from its canonical JSON."""
    found = json.loads(text or "{}")
    return {str(key): str(value) for key, value in found.items()}


def in_words(slice_: dict[str, str]) -> str:
    """Return a slice as a table shows it: "age=adult, gender=female"; empty for everybody."""
    return ", ".join(f"{key}={value}" for key, value in slice_.items())


def _thumbnails(run: Run, shown: pd.DataFrame) -> list[tuple[Image.Image, str]]:
    dataset = readers.read(run.header.spec.dataset, limit=run.header.spec.limit)
    paths = dict(zip(dataset.table["sample_id"], dataset.table["path"], strict=True))
    pictures = []
    for row in shown.itertuples(index=False):
        path = paths.get(row.sample_id)
        if path is None:
            continue
        try:
            picture = safe_open(dataset.file(path))
        except BadPicture:
            continue
        picture.thumbnail((SIDE, SIDE))
        answer = _text(row, "y_pred")
        form = "" if row.variant == "clean" else f" ({row.variant}; shown clean)"
        pictures.append((picture, f"{row.sample_id}{form}" + (f": {answer}" if answer else "")))
    return pictures


def _text(row: Any, name: str) -> str:
    value = getattr(row, name, "")
    return "" if value is None or value != value else str(value)
