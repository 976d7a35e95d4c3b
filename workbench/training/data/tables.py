"""Pairs from tables: CSV with paths, Parquet with paths or with the pictures' bytes.

Knows neither folders nor archives.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from workbench.errors import BadInput
from workbench.images import safe_open
from workbench.training.data.pairs import Found, Pair, decode, usable

if TYPE_CHECKING:
    import pyarrow as pa

MOST_IN_MEMORY = 8_000_000_000  # bytes of pictures in Parquet files


def from_csv(file: Path, *, image: str, text: str) -> Found:
    """Read a CSV (or TSV) in UTF-8 with a header; paths are relative to the file's folder.

    Args:
        file: the table.
        image: the column of paths.
        text: the column of captions.

    Raises:
        BadInput: no CSV, a column that is not there, or no pair at all.
    """
    pairs, passed_over = [], []
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = csv.DictReader(opened, delimiter="\t" if file.suffix == ".tsv" else ",", strict=True)
            _check_columns(file, rows.fieldnames or (), image, text)
            for row in rows:
                if not row[image] or row[text] is None:
                    passed_over.append(f"line {rows.line_num}: it names no {image if not row[image] else text}")
                    continue
                path = file.parent / row[image]
                pairs.append(Pair(row[image], row[text], False, partial(safe_open, path)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{file.name!r} cannot be read as a CSV table in UTF-8: {error}.") from None
    kept, said = usable(pairs, passed_over, where=f"the table {file.name!r}")
    return Found(kept, tuple(said), (file, *sorted({file.parent / pair.name for pair in kept})))


def from_parquet(files: Sequence[Path], *, image: str, text: str) -> Found:
    """Read Parquet files: `text` holds strings; `image` paths, bytes, or both as `datasets` writes them.

    Args:
        files: at least one; all with these columns.
        image: the column of paths (relative to the file's folder), of bytes, or of structs with `bytes` and `path`.
        text: the column of captions.

    Raises:
        BadInput: no Parquet, a column that is missing or of another kind, over 8 GB of bytes, or no pair at all.
    """
    pairs: list[Pair] = []
    passed_over: list[str] = []
    held = 0
    for file in files:
        table = _read_table(file, image, text)
        column = table.column(image)
        held += column.nbytes
        if held > MOST_IN_MEMORY:
            raise BadInput("Parquet files may hold at most 8 GB of pictures together; take WebDataset tars for more.")
        texts = table.column(text).to_pylist()
        for number, (cell, sentence) in enumerate(zip(_cells(file, column), texts, strict=True)):
            name, opener, size = _opener(file, number, cell)
            if opener is None or sentence is None:
                passed_over.append(f"{name}: it has no {image if opener is None else text}")
            else:
                pairs.append(Pair(name, str(sentence), False, opener, size))
    kept, said = usable(pairs, passed_over, where=f"{files[0].name!r}")
    return Found(kept, tuple(said), tuple(files))


def _read_table(file: Path, image: str, text: str) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        _check_columns(file, pq.read_schema(file).names, image, text)
        return pq.read_table(file, columns=[image, text])
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{file.name!r} cannot be read as Parquet: {str(error)[:200]}") from None


def _cells(file: Path, column: pa.ChunkedArray) -> list[Any]:
    """Return a path, a buffer or None a row; the bytes stay where Arrow has them."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_struct(kind) and {"bytes", "path"} <= {kind.field(n).name for n in range(kind.num_fields)}:
        both = column.combine_chunks()
        whole = zip(_cells(file, both.field("bytes")), _cells(file, both.field("path")), strict=True)
        return [data if data is not None else path for data, path in whole]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return list(column.to_pylist())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return [one.as_buffer() if one.is_valid else None for one in column]
    if pa.types.is_null(kind):
        return [None] * len(column)
    raise BadInput(f"Pictures in Parquet are paths (strings) or bytes (binary); {file.name!r} holds {kind}.")


def _opener(file: Path, number: int, cell: Any) -> tuple[str, Any, int]:
    name = f"{file.name}, row {number}"
    if cell is None or (isinstance(cell, str) and not cell):
        return name, None, 0
    if isinstance(cell, str):
        return f"{name}: {cell}", partial(safe_open, file.parent / cell), 0
    return name, partial(_from_buffer, cell, name), int(cell.size)


def _from_buffer(data: Any, name: str) -> Image.Image:
    return decode(memoryview(data), name)


def _check_columns(file: Path, names: Sequence[str], image: str, text: str) -> None:
    for column in (image, text):
        if column not in names:
            raise BadInput(f"The table {file.name!r} has no column {column!r}; it has: {', '.join(names)[:300]}.")
