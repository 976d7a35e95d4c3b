"""Read published photographs with a word on them, in the layouts of their authors.

Each layout gives rows with the columns word and form, which the typographic audit uses as they are. A clean image and
its attacked forms share a cluster.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from audits.datasets.rows import Row
from workbench.datasets.csv_files import check_columns, read_csv
from workbench.datasets.folders import image_names
from workbench.errors import BadInput

_FORMS = {"NoSCAM": "clean", "SCAM": "word", "SynthSCAM": "synthetic"}
_NAME = re.compile(r"label=(?P<label>.+?)_text=(?P<word>.+)")


def scam_rows(folder: Path) -> list[Row]:
    """Return the rows of SCAM: triplets of clean, attacked and synthetically attacked photographs.

    Args:
        folder: an export of BLISS-e-V/SCAM as an image folder: images and metadata.csv with file_name, type, id,
            object_label and attack_word.

    Raises:
        BadInput: no such table, a column missing, or an unknown type.

    Source:
        Westerhoff et al. 2025, arXiv:2504.04893.
    """
    table = read_csv(folder / "metadata.csv")
    check_columns(table.name, table.columns, ("file_name", "type", "id", "object_label", "attack_word"))
    rows = [dict(zip(table.columns, cells, strict=True)) for _, cells in table.rows]
    unknown = [row["type"] for row in rows if row["type"] not in _FORMS]
    if unknown:
        raise BadInput(f"SCAM's types are {', '.join(_FORMS)}; got {unknown[0][:40]!r}.")
    return [
        {
            "path": row["file_name"],
            "cluster": Path(row["id"]).stem,
            "label": row["object_label"],
            "word": row["attack_word"],
            "form": _FORMS[row["type"]],
        }
        for row in rows
    ]


def named_rows(folder: Path) -> list[Row]:
    """Return the rows of RTA-100 or PAINT, whose files are named label=THING_text=WORD.png; no image is clean.

    Raises:
        BadInput: an image with another name, or none at all.

    Source:
        azuma164/Defense-Prefix (rta100.zip); mlfoundations/patching (typographic_attack_data.zip).
    """
    rows: list[Row] = []
    for name in image_names(folder):
        match = _NAME.fullmatch(Path(name).stem)
        if match is None:
            raise BadInput(f"Images must be named label=THING_text=WORD.png; got {Path(name).name[:80]!r}.")
        label, word = match["label"], match["word"]
        rows.append({"path": name, "cluster": label, "label": label, "word": word, "form": "word"})
    if not rows:
        raise BadInput(f"{folder.name!r} holds no images named label=THING_text=WORD.png.")
    return rows


def disentangling_rows(folder: Path) -> list[Row]:
    """Return the rows of the photographs of Materzynska et al.: annotations.json and images/.

    An image whose attack label is empty or its own object is clean, and is the reference for all images of that object.

    Raises:
        BadInput: no annotations that can be read.

    Source:
        Materzynska et al. 2022; joaanna/disentangling_spelling_in_clip.
    """
    rows: list[Row] = []
    try:
        for name, note in sorted(json.loads((folder / "annotations.json").read_text(encoding="utf-8")).items()):
            label, word = str(note["true object"]), str(note.get("typographic attack label") or "")
            form = "word" if word not in ("", label) else "clean"
            rows.append({"path": f"images/{name}", "cluster": label, "label": label, "word": word, "form": form})
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        raise BadInput(
            "Disentangling is read from a folder with images/ and annotations.json, which has “true object” and "
            f"“typographic attack label” for each image; {folder.name!r} has no such file that can be read."
        ) from None
    return rows
