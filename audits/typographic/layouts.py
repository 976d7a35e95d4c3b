"""Read photographs that come with a word on them, as their authors lay them out in a folder.

Knows no model. Each layout gives a data set with the columns word and form, which the audit takes as it is. A clean
picture and its attacked forms share a cluster.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from audits.datasets.dataset import About, Dataset
from workbench.errors import BadInput

_FORMS = {"NoSCAM": "clean", "SCAM": "word", "SynthSCAM": "synthetic"}
_NAME = re.compile(r"label=(?P<label>.+?)_text=(?P<word>.+)")
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
_SHOWS = "Photographs of things with a word on or beside them, as their authors made them."

Row = Mapping[str, str]


@dataclass(frozen=True)
class Layout:
    """How one published data set lies in a folder."""

    key: str
    title: str
    source: str
    rows: Callable[[Path], Iterator[Row]]


def read(key: str, folder: Path) -> Dataset:
    """Return the pictures of a published data set.

    Args:
        key: scam, rta-100, paint or disentangling.
        folder: where it lies unpacked.

    Raises:
        UnknownName: no layout has that key.
        BadInput: the folder is not laid out so, or holds no picture.
    """
    from workbench.errors import unknown_name

    known = {layout.key: layout for layout in LAYOUTS}
    if key not in known:
        raise unknown_name("layout of typographic photographs", key, known)
    layout = known[key]
    return _dataset(layout, folder)


def _dataset(layout: Layout, folder: Path) -> Dataset:
    import hashlib

    import pandas as pd

    rows, excluded = [], []
    for row in layout.rows(folder):
        path = folder / row["path"]
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BadInput(f"Pictures lie in the folder itself; {row['path'][:80]!r} leads out of it.")
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            rows.append({"sample_id": row["path"], "sha256": digest, "split": "test", **row})
        else:
            excluded.append((row["path"], "there is no such file"))
    if not rows:
        raise BadInput(f"No picture of {layout.title} lies in {folder.name!r}; it is laid out as: {layout.source}.")
    table = pd.DataFrame(rows).sort_values("sample_id").reset_index(drop=True)
    about = About(title=layout.title, source=layout.source, shows=_SHOWS)
    extra = tuple(sorted(set(table.columns) - {"sample_id", "path", "sha256", "cluster", "split", "label"}))
    return Dataset(f"{layout.key}:{folder.name}", about, table, folder, extra, tuple(excluded))


def _scam(folder: Path) -> Iterator[Row]:
    table = folder / "metadata.csv"
    if not table.is_file():
        raise BadInput(f"SCAM is read from a folder of pictures with metadata.csv; {folder.name!r} has none.")
    with table.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        needed = {"file_name", "type", "id", "object_label", "attack_word"}
        if missing := sorted(needed - set(reader.fieldnames or ())):
            raise BadInput(f"SCAM's metadata.csv needs the column(s) {', '.join(missing)}.")
        for row in reader:
            if row["type"] not in _FORMS:
                raise BadInput(f"SCAM's types are {', '.join(_FORMS)}; got {row['type'][:40]!r}.")
            yield {
                "path": row["file_name"],
                "cluster": Path(row["id"]).stem,
                "label": row["object_label"],
                "word": row["attack_word"],
                "form": _FORMS[row["type"]],
            }


def _named(folder: Path) -> Iterator[Row]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in _ENDINGS:
            continue
        found = _NAME.fullmatch(path.stem)
        if found is None:
            raise BadInput(f"Pictures are named label=THING_text=WORD.png here; got {path.name[:80]!r}.")
        name = path.relative_to(folder).as_posix()
        yield {"path": name, "cluster": found["label"], "label": found["label"], "word": found["word"], "form": "word"}


def _disentangling(folder: Path) -> Iterator[Row]:
    notes = folder / "annotations.json"
    try:
        content = json.loads(notes.read_text(encoding="utf-8"))
        rows = [
            (str(name), str(note["true object"]), str(note.get("typographic attack label") or ""))
            for name, note in sorted(content.items())
        ]
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        raise BadInput(
            "Disentangling is read from a folder with images/ and annotations.json, which says for each picture "
            f"“true object” and “typographic attack label”; {folder.name!r} holds none that can be read."
        ) from None
    for name, label, word in rows:
        form = "word" if word and word != label else "clean"
        yield {"path": f"images/{name}", "cluster": label, "label": label, "word": word, "form": form}


LAYOUTS: tuple[Layout, ...] = (
    Layout(
        "scam",
        "SCAM: triplets of clean, attacked and synthetically attacked photographs",
        "BLISS-e-V/SCAM exported as an image folder: metadata.csv with file_name, type, id, object_label, attack_word; "
        "Westerhoff et al. 2025, arXiv:2504.04893",
        _scam,
    ),
    Layout("rta-100", "RTA-100", "azuma164/Defense-Prefix, rta100.zip: label=THING_text=WORD.png", _named),
    Layout("paint", "PAINT", "mlfoundations/patching, typographic_attack_data.zip: label=THING_text=WORD.png", _named),
    Layout(
        "disentangling",
        "Disentangling visual and written concepts",
        "joaanna/disentangling_spelling_in_clip: annotations.json and images/; Materzynska et al. 2022",
        _disentangling,
    ),
)
