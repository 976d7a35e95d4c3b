"""FairFace: two label files beside the folders train/ and val/.

Copies that went through a spreadsheet have dates for two age groups ("9-Mar" for 3-9, "19-Oct" for 10-19); they are
read as the groups that they were.
"""

from __future__ import annotations

from pathlib import Path

from audits.datasets.rows import Row
from workbench.datasets.csv_files import check_columns, read_csv
from workbench.errors import BadInput

FILES = {"fairface_label_train.csv": "train", "fairface_label_val.csv": "test"}  # label file -> split
AGES = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "more than 70")
GROUPS = {
    "age": AGES,
    "gender": ("Male", "Female"),
    "race": ("White", "Black", "Latino_Hispanic", "East Asian", "Southeast Asian", "Indian", "Middle Eastern"),
}
DATES = {"mar": "3-9", "sep": "3-9", "oct": "10-19"}  # month that a spreadsheet shows -> age group


def fairface_rows(folder: Path) -> list[Row]:
    """Return a row for each image of the label files that are there: age, gender, race, and the split.

    Raises:
        BadInput: neither file, a column missing, or a value that FairFace does not have.

    Source:
        Karkkainen and Joo 2021, WACV, p. 1548; github.com/joojs/fairface.
    """
    rows: list[Row] = []
    for name, split in FILES.items():
        if not (folder / name).is_file():
            continue
        table = read_csv(folder / name)
        check_columns(table.name, table.columns, ("file", *GROUPS))
        for line, cells in table.rows:
            row = dict(zip(table.columns, cells, strict=True))
            row["age"] = next((age for month, age in DATES.items() if month in row["age"].lower()), row["age"])
            wrong = next((column for column, values in GROUPS.items() if row[column] not in values), None)
            if wrong:
                raise BadInput(
                    f"FairFace's column {wrong} holds {', '.join(GROUPS[wrong])}; "
                    f"line {line} of {name!r} has {row[wrong][:40]!r}."
                )
            rows.append({"path": row["file"], "label": "", "split": split, **{name: row[name] for name in GROUPS}})
    if not rows:
        raise BadInput(f"FairFace is read from a folder with {' or '.join(FILES)}; {folder.name!r} has neither.")
    return rows
