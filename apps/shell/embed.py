"""`embed`: turn images into vectors, in a Parquet file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import DeviceOption, DtypeOption, JsonOption, ModelOption
from workbench.cli.output import say, write, write_json
from workbench.cli.progress import progress
from workbench.errors import INCOMPLETE, BadInput, OutOfResources
from workbench.image_inputs import image_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from workbench.embedding import EmbeddedFile

ROW_GROUP = 1024  # images that are written at once
MODEL_KEY = "clip_workbench.model"  # of the file's metadata: the fingerprint of the model


def embed(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATHS…", help="Files, folders or patterns such as 'photos/*.jpg'.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE.parquet", help="Where the vectors go; must not exist yet.")
    ],
    cache: Annotated[bool, typer.Option("--cache", help="Cache the vectors on disk, and reuse cached ones.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    model: ModelOption = "pocket",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Embed images: columns path, sha256 and embedding (float32, unit length), in the order given."""
    check_out(out, force)
    files = image_files(paths)
    from apps.shell._loading import load_and_say
    from workbench.cache import DiskCache

    opened = load_and_say(model, device, dtype)
    rows = opened.embed_each(files, store=DiskCache() if cache else None)
    failed = write_parquet(out, rows, total=len(files), dim=opened.dim, fingerprint=opened.fingerprint)
    written = len(files) - len(failed)
    if as_json:
        write_json({"out": str(out), "embedded": written, "failed": failed, "model": opened.fingerprint})
    else:
        write(str(out))
    say(f"{written} of {len(files)} images embedded, {opened.dim} numbers each.")
    if failed:
        raise typer.Exit(INCOMPLETE)


def check_out(out: Path, force: bool) -> None:
    """Refuse a place where the file could not or should not be written, before any work.

    Raises:
        BadInput: no folder, no Parquet name, or a file that is there already.
    """
    if out.suffix != ".parquet":
        raise BadInput(f"--out takes a file that ends in .parquet; got {out.name!r}.")
    if not out.absolute().parent.is_dir():
        raise BadInput(f"The folder of --out {str(out)!r} does not exist.")
    if out.is_dir() or (out.exists() and not force):
        raise BadInput(f"{out.name!r} exists already; give another name, or --force to replace it.")


def write_parquet(
    out: Path, rows: Iterator[EmbeddedFile], *, total: int, dim: int, fingerprint: str
) -> list[dict[str, str]]:
    """Write what could be embedded, and return path and reason of the rest; the file appears when it is complete."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [("path", pa.string()), ("sha256", pa.string()), ("embedding", pa.list_(pa.float32(), dim))],
        metadata={MODEL_KEY: fingerprint},
    )
    failed: list[dict[str, str]] = []
    with _renamed(out) as unfinished, pq.ParquetWriter(unfinished, schema) as file, progress() as bar:
        task = bar.add_task("Pictures", total=total)
        while chunk := list(islice(_advance(rows, bar, task), ROW_GROUP)):
            for row in chunk:
                if row.vector is None:
                    say(f"{row.path}: {row.error}")
                    failed.append({"path": row.path, "error": row.error})
            if good := [row for row in chunk if row.vector is not None]:
                file.write_table(_table(good, schema))
        if len(failed) == total:
            Path(unfinished).unlink()  # a file without a row is none
    return failed


def _advance(rows: Iterator[EmbeddedFile], bar: Any, task: Any) -> Iterator[EmbeddedFile]:
    for row in rows:
        bar.advance(task)
        yield row


def _table(rows: Sequence[EmbeddedFile], schema: pa.Schema) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    flat = np.concatenate([np.asarray(row.vector, dtype=np.float32) for row in rows])
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(flat), type=schema.field("embedding").type)
    names = [row.path.encode("utf-8", "replace").decode() for row in rows]  # Parquet holds no undecodable file name
    return pa.Table.from_arrays([pa.array(names), pa.array([row.sha256 for row in rows]), vectors], schema=schema)


@contextmanager
def _renamed(out: Path) -> Iterator[str]:
    """Give a temporary name beside `out`; what is written there takes its place at the end, or goes."""
    try:
        handle, name = tempfile.mkstemp(dir=out.absolute().parent, prefix=f".{out.name}.", suffix=".part")
        os.close(handle)
    except OSError as error:
        raise BadInput(f"The folder of --out {str(out)!r} cannot be written ({error.strerror}).") from None
    try:
        yield name
        if os.path.exists(name):
            os.chmod(name, 0o666 & ~_umask())
            os.replace(name, out)
    except OSError as error:
        raise OutOfResources(f"{out.name!r} could not be written ({error.strerror}).") from None
    finally:
        Path(name).unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
