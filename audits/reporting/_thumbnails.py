"""Small images for a report, where somebody asked for them: blurred, or as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageFilter, ImageOps

from audits.reporting._text import visible
from audits.run_directory.reader import Run
from workbench.errors import BadInput, WorkbenchError
from workbench.results.html import data_uri

WISHES = ("none", "blurred", "full")
MOST = 12  # of one run
SIDE = 96  # pixels
BLUR = 7  # pixels at that size: a face is no longer known, a scene still is


@dataclass(frozen=True)
class Shown:
    """One thumbnail."""

    uri: str  # data:
    alt: str
    caption: str


def pictures(runs: Sequence[Run], options: str) -> Mapping[int, Sequence[Shown]]:
    """Return thumbnails by place of the run; none where the data are no longer there.

    Raises:
        BadInput: no such options.
    """
    if options not in WISHES:
        raise BadInput(f"Thumbnails are {', '.join(WISHES)}; got {options!r}.")
    return {} if options == "none" else {at: _of(run, options == "blurred") for at, run in enumerate(runs)}


def _of(run: Run, blurred: bool) -> list[Shown]:
    from audits.datasets.readers import read

    try:
        dataset = read(str(run.header.spec.dataset))
    except (WorkbenchError, OSError):
        return []
    table = dataset.table
    step = max(1, len(table) // MOST)
    rows = table.iloc[::step].head(MOST).to_dict("records")
    made = [(row, _data_uri(dataset.file(str(row["path"])), blurred)) for row in rows]
    return [
        Shown(uri, visible(f"Image {row['sample_id']}", 60), visible(row.get("label") or row["sample_id"], 40))
        for row, uri in made
        if uri
    ]


def _data_uri(path: Path, blurred: bool) -> str:
    from workbench.images import safe_open

    try:
        picture = ImageOps.fit(safe_open(path), (SIDE, SIDE), Image.Resampling.LANCZOS)
    except (WorkbenchError, OSError):
        return ""
    if blurred:
        picture = picture.filter(ImageFilter.GaussianBlur(BLUR))
    return data_uri(picture, "JPEG", quality=80)
