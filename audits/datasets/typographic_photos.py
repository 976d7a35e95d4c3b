"""Read photographs that come with a word on them, as their authors lay them out in a folder.

Knows no model. Each layout gives rows with the columns word and form, which the typographic audit takes as they are. A
clean picture and its attacked forms share a cluster.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

from audits.datasets.rows import Row
from workbench.errors import BadInput

_FORMS = {"NoSCAM": "clean", "SCAM": "word", "SynthSCAM": "synthetic"}
_NAME = re.compile(r"label=(?P<label>.+?)_text=(?P<word>.+)")
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")


def scam_rows(folder: Path) -> list[Row]:
    """Return the rows of SCAM: triplets of clean, attacked and synthetically attacked photographs.

    Args:
        folder: an export of BLISS-e-V/SCAM as an image folder: pictures and metadata.csv with file_name, type, id,
            object_label and attack_word.

    Raises:
        BadInput: no such table, a column missing, or an unknown type.

    Source:
        Westerhoff et al. 2025, arXiv:2504.04893.
    """
    try:
        with (folder / "metadata.csv").open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = sorted({"file_name", "type", "id", "object_label", "attack_word"} - set(reader.fieldnames or ()))
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error):
        raise BadInput(
            f"SCAM is read from a folder of pictures with metadata.csv; {folder.name!r} has none that can be read."
        ) from None
    if missing:
        raise BadInput(f"SCAM's metadata.csv needs the column(s) {', '.join(missing)}.")
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
    """Return the rows of RTA-100 or PAINT, whose files are named label=THING_text=WORD.png; no picture is clean.

    Raises:
        BadInput: a picture that is named otherwise, or none at all.

    Source:
        azuma164/Defense-Prefix (rta100.zip); mlfoundations/patching (typographic_attack_data.zip).
    """
    rows: list[Row] = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in _ENDINGS:
            continue
        found = _NAME.fullmatch(path.stem)
        if found is None:
            raise BadInput(f"Pictures are named label=THING_text=WORD.png here; got {path.name[:80]!r}.")
        place, label, word = path.relative_to(folder).as_posix(), found["label"], found["word"]
        rows.append({"path": place, "cluster": label, "label": label, "word": word, "form": "word"})
    if not rows:
        raise BadInput(f"No picture lies in {folder.name!r}; they are named label=THING_text=WORD.png.")
    return rows


def disentangling_rows(folder: Path) -> list[Row]:
    """Return the rows of the photographs of Materzynska et al.: annotations.json and images/.

    A picture whose attack label is empty or its own object is clean, and stands for all pictures of that object.

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
            "Disentangling is read from a folder with images/ and annotations.json, which says for each picture "
            f"“true object” and “typographic attack label”; {folder.name!r} holds none that can be read."
        ) from None
    return rows
