"""Parquet files that hold paths of images, or the images' bytes, as `datasets` writes them too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.datasets.csv_files import NAMES, check_columns, our_names
from workbench.datasets.samples import ImageSample, Listing
from workbench.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa

MAX_IN_MEMORY = 8_000_000_000  # bytes of images


def read_parquet(files: Sequence[Path], *, image: str = "", caption: str = "") -> Listing:
    """Read Parquet files; the images' bytes stay where Arrow has them.

    Args:
        files: at least one, all with the same columns.
        image: the column of images: paths (relative to the file's folder), bytes, or structs with `bytes` and `path`;
            the first of `NAMES["path"]` where not given, columns of bytes before columns of paths.
        caption: the column of captions. Where given, no column but these two is read.

    Raises:
        BadInput: no Parquet, a column that is missing or of another kind, or over 8 GB of bytes.
    """
    samples: list[ImageSample] = []
    skipped: list[str] = []
    in_memory = 0
    for file in files:
        table, column = _read(file, image, caption)
        in_memory += table.column(column).nbytes
        if in_memory > MAX_IN_MEMORY:
            raise BadInput("Parquet files may hold at most 8 GB of images together; use WebDataset tars for more.")
        cells = _cells(file, table.column(column))
        texts = table.column(caption).to_pylist() if caption else [None] * len(cells)
        rest = table.drop_columns([column, *([caption] if caption else [])])
        rest = rest.rename_columns(our_names(rest.column_names))
        for number, (cell, text, row) in enumerate(zip(cells, texts, rest.to_pylist(), strict=True)):
            name = f"{file.name}, row {number}"
            if cell is None or (isinstance(cell, str) and not cell):
                skipped.append(f"{name}: it has no {column}")
                continue
            known = {key: "" if value is None else str(value) for key, value in row.items()}
            label, captions = known.pop("label", ""), () if text is None else (str(text),)
            if isinstance(cell, str):
                samples.append(ImageSample(f"{name}: {cell}", file.parent / cell, label, captions, known))
            else:
                samples.append(ImageSample(name, partial(bytes, cell), label, captions, known, int(cell.size)))
    return Listing(tuple(samples), tuple(skipped), tuple(files), title=files[0].name)


def _read(file: Path, image: str, caption: str) -> tuple[pa.Table, str]:
    """Return a table and the name of its column of images."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(file)
        check_columns(file.name, schema.names, [name for name in (image, caption) if name])
        named = [name for name in NAMES["path"] if name in schema.names]
        with_bytes = [name for name in named if not pa.types.is_string(schema.field(name).type)]
        column = image or next(iter([*with_bytes, *named]), "")
        if not column:
            raise BadInput(
                f"One column of {file.name!r} holds the images: {', '.join(NAMES['path'])}; "
                f"got {', '.join(schema.names)[:200]}."
            )
        plain = [field.name for field in schema if not pa.types.is_nested(field.type) and field.name != column]
        return pq.read_table(file, columns=[column, *([caption] if caption else plain)]), column
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{file.name!r} cannot be read as Parquet: {str(error)[:200]}") from None


def _cells(file: Path, column: pa.ChunkedArray) -> list[Any]:
    """Return a path, a buffer or None a row."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_struct(kind) and {"bytes", "path"} <= {kind.field(n).name for n in range(kind.num_fields)}:
        both = column.combine_chunks()
        pairs = zip(_cells(file, both.field("bytes")), _cells(file, both.field("path")), strict=True)
        return [data if data is not None else path for data, path in pairs]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return list(column.to_pylist())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return [one.as_buffer() if one.is_valid else None for one in column]
    if pa.types.is_null(kind):
        return [None] * len(column)
    raise BadInput(f"Images in Parquet are paths (strings) or bytes (binary); {file.name!r} holds {kind}.")
