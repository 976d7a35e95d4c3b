"""Read published images with true and false captions: SugarCrepe, ARO, Winoground and NegBench.

Each layout of their authors gives rows with the columns `caption`, `negative` (and `negative_2`, `negative_3`), `kind`,
`source` and `pair`, which the audits of composition and negation use as they are.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audits.datasets.rows import Row
from workbench.datasets.csv_files import read_csv
from workbench.errors import BadInput

PLACES = ("images", "val2017", "JPEGImages", "")  # where images lie, the first that is there
MOST_BYTES = 200_000_000  # of one file of captions
_KINDS = {"obj": "object", "att": "attribute", "rel": "relation"}
_ARO = {"visual_genome_relation.json": "relation", "visual_genome_attribution.json": "attribute"}


def sugarcrepe_rows(folder: Path) -> list[Row]:
    """Return the rows of SugarCrepe: `swap_att.json` and so on, here or in `data/`, and the images of COCO 2017.

    Raises:
        BadInput: none of its files, or one that cannot be read.

    Source:
        Hsieh et al. 2023, arXiv:2306.14610; RAIVNLab/sugar-crepe, data/.
    """
    place = folder / "data" if (folder / "data").is_dir() else folder
    files = [
        (file, f"{how} {_KINDS[what]}") for how in ("add", "replace", "swap") for what in _KINDS
        if (file := place / f"{how}_{what}.json").is_file()
    ]  # fmt: skip
    rows = []
    for file, kind in files:
        for name, entry in _entries(file):
            image = _text(entry, "filename", file)
            rows.append(
                {
                    "sample_id": f"{file.stem}-{name}",
                    "path": f"{_images(folder)}{image}",
                    "cluster": Path(image).stem,
                    "caption": _text(entry, "caption", file),
                    "negative": _text(entry, "negative_caption", file),
                    "kind": kind,
                    "source": "SugarCrepe",
                }
            )
    return _some(rows, folder, "SugarCrepe is read from a folder with add_obj.json … swap_att.json")


def aro_rows(folder: Path) -> list[Row]:
    """Return the rows of ARO's Visual Genome Relation and Attribution; only the box of each image is looked at.

    Raises:
        BadInput: neither file, or one that cannot be read.

    Source:
        Yuksekgonul et al. 2023, arXiv:2210.01936; mertyg/vision-language-models-are-bows, dataset_zoo.
    """
    rows = []
    for file, kind in ((folder / name, kind) for name, kind in _ARO.items()):
        for name, entry in _entries(file) if file.is_file() else ():
            image = _text(entry, "image_path", file)
            box = ",".join(_text(entry, f"bbox_{side}", file) for side in "xywh")
            rows.append(
                {
                    "sample_id": f"{kind}-{name}",
                    "path": f"{_images(folder)}{image}",
                    "cluster": Path(image).stem,
                    "caption": _text(entry, "true_caption", file),
                    "negative": _text(entry, "false_caption", file),
                    "kind": f"swap {kind}",
                    "box": box,
                    "source": "ARO",
                }
            )
    return _some(rows, folder, f"ARO is read from a folder with {' or '.join(_ARO)}")


def winoground_rows(folder: Path) -> list[Row]:
    """Return the rows of Winoground: two images a line of `examples.jsonl`, each with the other's caption as negative.

    Raises:
        BadInput: no such file, or one that cannot be read.

    Source:
        Thrush et al. 2022, arXiv:2204.03162; facebook/winoground, data/.
    """
    file = folder / "examples.jsonl"
    rows = []
    for name, entry in _entries(file) if file.is_file() else ():
        for own, other in (("0", "1"), ("1", "0")):
            image = _text(entry, f"image_{own}", file)
            rows.append(
                {
                    "sample_id": f"{name}-{own}",
                    "path": f"{_images(folder)}{image if Path(image).suffix else image + '.png'}",
                    "cluster": name,
                    "pair": name,
                    "caption": _text(entry, f"caption_{own}", file),
                    "negative": _text(entry, f"caption_{other}", file),
                    "kind": f"swap {str(entry.get('collapsed_tag') or 'words').lower()}",
                    "source": "Winoground",
                }
            )
    return _some(rows, folder, "Winoground is read from a folder with examples.jsonl and images/")


def negbench_rows(folder: Path) -> list[Row]:
    """Return the rows of NegBench's image questions: each CSV with `caption_0` to `caption_3`, or with `captions`.

    Questions have one true and three false captions. Files for retrieval give images with their first caption and the
    kind "retrieval". Paths in the tables count by their last part.

    Raises:
        BadInput: no such table, or one that cannot be read.

    Source:
        Alhamoud et al. 2025, arXiv:2501.09425; m1k2zoo/negbench, datasets.md.
    """
    rows = []
    for file in sorted(folder.glob("*.csv")):
        table = read_csv(file)
        for number, cells in table.rows:
            entry = dict(zip(table.columns, cells, strict=True))
            image = entry.get("image_path") or entry.get("filepath")
            if not image or not {"caption_0", "captions"} & set(entry):
                break
            row = {"sample_id": f"{file.stem}-{number}", "path": f"{_images(folder)}{Path(image).name}"}
            row |= {"cluster": Path(image).stem, "source": file.stem}
            rows.append(row | (_question(entry, file) if "caption_0" in entry else _captioned(entry, file)))
    return _some(rows, folder, "NegBench is read from a folder with its CSV files and images/")


def _question(entry: Mapping[str, str], file: Path) -> dict[str, str]:
    captions = [entry[f"caption_{at}"] for at in range(4) if entry.get(f"caption_{at}")]
    answer = _text(entry, "correct_answer", file)
    if not answer.isdecimal() or int(answer) >= len(captions):
        raise BadInput(f"`correct_answer` in {file.name!r} is the number of a caption, from 0; got {answer[:20]!r}.")
    true = captions.pop(int(answer))
    named = dict(zip(("negative", "negative_2", "negative_3"), captions, strict=False))
    return {"caption": true, **named, "kind": entry.get("correct_answer_template") or "question"}


def _captioned(entry: Mapping[str, str], file: Path) -> dict[str, str]:
    text = _text(entry, "captions", file)
    try:
        value = ast.literal_eval(text) if text.startswith("[") else [text]
        return {"caption": str(value[0]), "kind": "retrieval"}
    except (ValueError, SyntaxError, IndexError, MemoryError, RecursionError):
        raise BadInput(f"`captions` in {file.name!r} is a list of sentences; got {text[:40]!r}.") from None


def _entries(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (name, entry) of a JSON object or list, or of lines of JSON."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise BadInput(f"A file of captions may have at most {MOST_BYTES // 10**6} MB; {file.name!r} has more.")
        text = file.read_text(encoding="utf-8")
        lines = file.suffix == ".jsonl"
        content = [json.loads(line) for line in text.splitlines() if line.strip()] if lines else json.loads(text)
        pairs = list(content.items()) if isinstance(content, dict) else list(enumerate(content))
    except (OSError, ValueError, TypeError, RecursionError):
        raise BadInput(f"{file.name!r} is no JSON file of captions that can be read.") from None
    for name, entry in pairs:
        if not isinstance(entry, dict):
            raise BadInput(f"Every entry of {file.name!r} is an object with captions; entry {name} is none.")
        yield str(name), entry


def _text(entry: Mapping[str, Any], name: str, file: Path) -> str:
    value = entry.get(name)
    if value is None or not str(value).strip():
        raise BadInput(f"Every entry of {file.name!r} has {name!r}; one has: {', '.join(map(str, entry))[:120]}.")
    return str(value).strip()


def _images(folder: Path) -> str:
    place = next(place for place in PLACES if (folder / place).is_dir())
    return f"{place}/" if place else ""


def _some(rows: list[dict[str, str]], folder: Path, what: str) -> list[Row]:
    if not rows:
        raise BadInput(f"{what}, and the images beside them in images/ or val2017/; {folder.name!r} has none of them.")
    return list(rows)
