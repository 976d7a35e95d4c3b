"""UTKFace: age, gender and race are in the file names."""

from __future__ import annotations

import re
from pathlib import Path

from audits.datasets.rows import Row
from workbench.datasets.folders import read_folder
from workbench.errors import BadInput

NAME = re.compile(r"^(?P<age>\d{1,3})_(?P<gender>[01])_(?P<race>[0-4])_\d+")
GENDERS = ("Male", "Female")
RACES = ("White", "Black", "Asian", "Indian", "Others")
AGES = (  # FairFace's groups: last year, name
    (2, "0-2"),
    (9, "3-9"),
    (19, "10-19"),
    (29, "20-29"),
    (39, "30-39"),
    (49, "40-49"),
    (59, "50-59"),
    (69, "60-69"),
)


def utkface_rows(folder: Path) -> list[Row]:
    """Return a row for each image named `[age]_[gender]_[race]_[date]…`, as UTKFace's files are; others are left out.

    Raises:
        BadInput: no folder, or no image is named so.
    """
    rows: list[Row] = []
    for sample in read_folder(folder).samples:
        match = NAME.match(Path(sample.name).name)
        if match:
            age = next((group for last, group in AGES if int(match["age"]) <= last), "more than 70")
            gender, race = GENDERS[int(match["gender"])], RACES[int(match["race"])]
            rows.append({"path": sample.name, "label": "", "age": age, "gender": gender, "race": race})
    if not rows:
        raise BadInput(f"UTKFace's files are named [age]_[gender]_[race]_[date].jpg; {folder.name!r} holds none.")
    return rows
