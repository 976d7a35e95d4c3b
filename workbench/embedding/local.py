"""The local engine: a few threads open and prepare pictures while this one keeps the model busy.

Knows no catalogue and no file format but pictures. Memory stays bounded however many files there are.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from workbench.errors import BadPicture, OutOfResources
from workbench.images import MAX_BYTES, safe_open

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

BATCH = 32  # pictures of one pass through the image tower
AHEAD = 2  # batches that are prepared before the model asks for them
MOST_WORKERS = 8  # beyond this, the disk or the model is the bottleneck; half the processors are left to the model


@dataclass(frozen=True)
class Embedded:
    """What became of one file: a vector, or the reason why there is none."""

    path: str  # as given
    sha256: str = ""  # of the file's bytes; empty where they could not be read
    vector: Tensor | None = None  # (dim,) float32 on the CPU, unit length
    error: str = ""


class ImageEncoder(Protocol):
    """The image half of `workbench.backend.Encoder`."""

    def prepare(self, image: Image.Image) -> Tensor:
        """Resize and crop an upright RGB picture; (3, size, size) uint8 on the CPU."""

    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) uint8 -> (n, dim) float32 on the CPU, unit rows."""


class VectorStore(Protocol):
    """Vectors of one model, by the hash of a picture file."""

    def get(self, sha256: str) -> Tensor | None:
        """Return the kept vector, (dim,) float32, or None."""

    def put(self, sha256: str, vector: Tensor) -> None:
        """Keep a vector."""


@dataclass(frozen=True)
class _Opened:
    row: Embedded  # complete where the vector was kept already, or the file could not be opened
    pixels: Tensor | None = None  # (3, size, size) uint8


def embed_files(
    encoder: ImageEncoder,
    paths: Iterable[str],
    *,
    batch: int = BATCH,
    workers: int | None = None,
    kept: VectorStore | None = None,
) -> Iterator[Embedded]:
    """Embed picture files, in the order given; a file that fails does not stop the others.

    At most `batch` times three prepared pictures and one decoded picture a worker are in memory.

    Args:
        encoder: the model.
        paths: n files; read as they are needed, so that a generator may name millions.
        batch: pictures of one pass.
        workers: threads that open pictures; None: half of the processors, at most eight.
        kept: vectors known from earlier; a file that is known is neither decoded nor embedded again.

    Raises:
        OutOfResources: not even one picture fits on the device.
    """
    threads = workers or max(1, min(MOST_WORKERS, (os.cpu_count() or 1) // 2))
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    rest = iter(paths)
    waiting: deque[Future[_Opened]] = deque()
    try:
        while True:
            for path in islice(rest, batch * (1 + AHEAD) - len(waiting)):
                waiting.append(pool.submit(_open, encoder, path, kept))
            if not waiting:
                return
            opened = [waiting.popleft().result() for _ in range(min(batch, len(waiting)))]
            yield from _encode(encoder, opened, kept)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _open(encoder: ImageEncoder, path: str, kept: VectorStore | None) -> _Opened:
    try:
        digest = _digest(Path(path))
        known = kept.get(digest) if kept is not None and digest else None
        if known is not None:
            return _Opened(Embedded(path, digest, known))
        return _Opened(Embedded(path, digest), encoder.prepare(safe_open(path)))
    except BadPicture as error:
        return _Opened(Embedded(path, error=str(error)))
    except OSError as error:  # vanished, or not ours to read
        return _Opened(Embedded(path, error=f"The file {Path(path).name!r} cannot be read ({error.strerror})."))


def _digest(path: Path) -> str:
    """Hash what `safe_open` would open; empty for what it will refuse for its kind or size."""
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _encode(encoder: ImageEncoder, opened: Sequence[_Opened], kept: VectorStore | None) -> Iterator[Embedded]:
    pixels = [one.pixels for one in opened if one.pixels is not None]
    vectors = iter(_vectors(encoder, pixels))
    for one in opened:
        if one.pixels is None:
            yield one.row
            continue
        vector = next(vectors)
        if kept is not None:
            kept.put(one.row.sha256, vector)
        yield replace(one.row, vector=vector)


def _vectors(encoder: ImageEncoder, pixels: Sequence[Tensor]) -> list[Tensor]:
    """Encode in one pass; where the device's memory does not suffice, in halves."""
    import torch

    if not pixels:
        return []
    try:
        return list(encoder.encode_pixels(torch.stack(list(pixels))))
    except torch.OutOfMemoryError:
        if len(pixels) == 1:
            raise OutOfResources(
                "The device's memory does not hold this model and one picture; try --device cpu or a smaller model."
            ) from None
    half = len(pixels) // 2
    return _vectors(encoder, pixels[:half]) + _vectors(encoder, pixels[half:])
