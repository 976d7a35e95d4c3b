"""Embed image files: opened and prepared on a few threads while the model works, and returned in order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from workbench.cache import EmbeddingStore, Key
from workbench.embedding.prefetch import prefetch
from workbench.errors import BadPicture, OutOfResources
from workbench.image_inputs import image_name
from workbench.images import MAX_BYTES, safe_open

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from workbench.backend import Picture

BATCH = 32  # images of one pass through the image tower
AHEAD = 2  # batches that are prepared in advance


@dataclass(frozen=True)
class EmbeddedFile:
    """The embedding of one file, or the reason why there is none."""

    path: str  # as given; of an opened image, its size in pixels
    sha256: str = ""  # of the file's bytes; empty where they could not be read
    vector: Tensor | None = None  # (dim,) float32 on the CPU, unit length
    error: str = ""
    image: Picture = ""  # as given


class ImageEncoder(Protocol):
    """The image half of `workbench.backend.TowerEncoder`."""

    @property
    def fingerprint(self) -> str:
        """Hash of weights, preprocessing and dtype."""

    def prepare(self, image: Image.Image) -> Tensor:
        """Resize and crop an upright RGB image; (3, size, size) uint8 on the CPU."""

    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) uint8 -> (n, dim) float32 on the CPU, unit rows."""


@dataclass(frozen=True)
class _Prepared:
    row: EmbeddedFile  # complete where the store had the vector, or the file could not be opened
    pixels: Tensor | None = None  # (3, size, size) uint8


def embed_files(
    encoder: ImageEncoder,
    images: Iterable[Picture],
    *,
    batch: int = BATCH,
    workers: int | None = None,
    store: EmbeddingStore[Key] | None = None,
) -> Iterator[EmbeddedFile]:
    """Embed image files and opened images, in the given order; one that fails does not stop the others.

    At most `batch` times three prepared images and one decoded image per worker are in memory.

    Args:
        encoder: the model.
        images: n of them; read as they are needed, so that a generator may name millions.
        batch: images of one pass.
        workers: threads that open images; see `prefetch`.
        store: embeddings from earlier; a file whose embedding is there is neither decoded nor embedded again.

    Raises:
        OutOfResources: not even one image fits on the device.
    """
    import torch

    def prepare(image: Picture) -> _Prepared:
        path, digest = image_name(image), ""
        try:
            if isinstance(image, str | Path):
                digest = _digest(Path(image))
            if store is not None and digest:
                key = Key(encoder.fingerprint, "file", digest)
                if (row := store.get_many([key]).get(key)) is not None:
                    return _Prepared(EmbeddedFile(path, digest, torch.from_numpy(row.copy()), image=image))
            return _Prepared(EmbeddedFile(path, digest, image=image), encoder.prepare(safe_open(image)))
        except BadPicture as error:
            return _Prepared(EmbeddedFile(path, error=str(error), image=image))
        except OSError as error:  # removed meanwhile, or not readable
            reason = f"The file {Path(path).name!r} cannot be read ({error.strerror})."
            return _Prepared(EmbeddedFile(path, error=reason, image=image))

    rest = iter(images)
    batches = iter(lambda: list(islice(rest, batch)), [])
    for prepared in prefetch(batches, prepare, ahead=AHEAD, workers=workers):
        vectors = iter(_encode(encoder, [one.pixels for one in prepared if one.pixels is not None]))
        rows = [one.row if one.pixels is None else replace(one.row, vector=next(vectors)) for one in prepared]
        if store is not None:
            new = [row for row, one in zip(rows, prepared, strict=True) if one.pixels is not None]
            store.put_many(
                {
                    Key(encoder.fingerprint, "file", row.sha256): row.vector.numpy()
                    for row in new
                    if row.vector is not None and row.sha256
                }
            )
        yield from rows


def _digest(path: Path) -> str:
    """Hash what `safe_open` would open; empty for what it will refuse for its kind or size."""
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _encode(encoder: ImageEncoder, pixels: Sequence[Tensor]) -> list[Tensor]:
    """Encode in one pass; where the device's memory does not suffice, in halves."""
    import torch

    if not pixels:
        return []
    try:
        return list(encoder.encode_pixels(torch.stack(list(pixels))))
    except torch.OutOfMemoryError:
        if len(pixels) == 1:
            raise OutOfResources(
                "The device's memory does not hold this model and one image; use --device cpu or a smaller model."
            ) from None
    half = len(pixels) // 2
    return _encode(encoder, pixels[:half]) + _encode(encoder, pixels[half:])
