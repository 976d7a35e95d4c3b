"""What an index keeps of one image or one frame of a video, and the columns of its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

MODEL, FINGERPRINT = "clip_workbench.key", "clip_workbench.model"  # in the table's metadata


@dataclass(frozen=True)
class IndexRow:
    """One image, or one frame of a video, without its vector."""

    path: str  # absolute; a frame's ends in #t=SECONDS, a member of an archive stands below the archive
    sha256: str  # of the file's bytes; of a frame, of its video's hash and the second
    size: int  # bytes; -1 for the frames of a video that is not complete
    modified: int  # nanoseconds since 1970
    width: int
    height: int
    label: str
    caption: str
    tags: tuple[str, ...]  # "name=value" of everything else that the source states
    second: float | None  # of a frame
    thumbnail: bytes  # JPEG


def schema(dim: int, *, model: str, fingerprint: str) -> pa.Schema:
    """Return the columns of a table of vectors with `dim` numbers."""
    import pyarrow as pa

    return pa.schema(
        [
            ("path", pa.string()),
            ("sha256", pa.string()),
            ("size", pa.int64()),
            ("modified", pa.int64()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("label", pa.string()),
            ("caption", pa.string()),
            ("tags", pa.list_(pa.string())),
            ("second", pa.float64()),
            ("thumbnail", pa.binary()),
            ("vector", pa.list_(pa.float32(), dim)),
        ],
        metadata={MODEL: model, FINGERPRINT: fingerprint},
    )


def as_table(rows: Sequence[IndexRow], vectors: NDArray[np.float32], columns: pa.Schema) -> pa.Table:
    """Put rows and their (n, dim) vectors into an Arrow table."""
    import pyarrow as pa

    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).ravel())
    arrays: list[Any] = [
        pa.array([getattr(row, field.name) for row in rows], type=columns.field(field.name).type)
        for field in fields(IndexRow)
    ]
    arrays.append(pa.FixedSizeListArray.from_arrays(flat, type=columns.field("vector").type))
    return pa.table(arrays, schema=columns)
