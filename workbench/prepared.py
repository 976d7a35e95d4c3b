"""What is kept of an image file: the square that an image tower sees, and a thumbnail; made where the file is decoded.

Where a server has workers, one of them makes both, and the pixels of the whole image stay there.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from workbench.images import LARGE, MAX_PIXELS, check_length, decode_here, safe_decode
from workbench.preprocessing import Preprocessing, visible_square
from workbench.worker import active
from workbench.worker.jobs import PREPARE, PREPARE_LARGE

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.scheduler import CancelScope

THUMBNAIL = 224  # pixels of the longer side


@dataclass(frozen=True)
class PreparedImage:
    """What is kept of a file."""

    width: int  # of the upright image, pixels
    height: int
    square: Tensor  # (3, side, side) uint8
    thumbnail: bytes  # JPEG; empty where none was asked for


def prepare_file(
    model: Any, data: bytes, name: str, *, small: bool = False, scope: CancelScope | None = None
) -> PreparedImage:
    """Decode a file under the rules of `images.safe_open`, and return what a model's `prepare` makes of it.

    Args:
        model: whatever has `prepare`; a worker prepares for those whose `preprocessing` says how.
        data: the whole file.
        name: what a message calls it.
        small: make a thumbnail as well.
        scope: how long the caller waits for a worker.

    Raises:
        BadPicture: see `images.safe_decode`.
        Cancelled, DeadlinePassed: the scope is over.
    """
    import torch

    pool, to = active(), getattr(model, "preprocessing", None)
    if pool is None or not isinstance(to, Preprocessing):
        picture = safe_decode(data, name, scope=scope)
        return PreparedImage(*picture.size, model.prepare(picture), thumbnail(picture) if small else b"")

    def read(size: tuple[int, int] | None, parts: memoryview) -> PreparedImage | None:
        if size is None:
            return None
        pixels = np.frombuffer(bytearray(parts[: 3 * to.size**2]), np.uint8)
        square = torch.from_numpy(pixels.reshape(to.size, to.size, 3)).permute(2, 0, 1)
        return PreparedImage(size[0], size[1], model.finish(square), bytes(parts[3 * to.size**2 :]))

    check_length(data, name)
    arguments = {"name": name, "to": asdict(to), "small": small}
    prepared = pool.call(PREPARE, {**arguments, "most": LARGE}, data, read=read, scope=scope)
    if prepared is None:
        prepared = pool.call(PREPARE_LARGE, {**arguments, "most": MAX_PIXELS}, data, read=read, scope=scope)
    assert prepared is not None
    return prepared


def thumbnail(picture: Image.Image) -> bytes:
    """Return a small JPEG of an upright RGB image."""
    shown = picture.copy()
    shown.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BILINEAR, reducing_gap=2.0)
    buffer = io.BytesIO()
    shown.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def prepare_job(
    data: bytes, *, name: str, most: int, to: dict[str, Any], small: bool
) -> Iterator[tuple[tuple[int, int] | None, Iterable[bytes]]]:
    """Decode and prepare in a worker: the image's size, with the square's pixels and the thumbnail.

    Yields None for an image of more than `most` pixels.
    """
    picture = decode_here(data, name, most=most)
    if picture is None:
        yield None, ()
        return
    square = visible_square(picture, Preprocessing(**to))
    yield picture.size, [square.tobytes(), thumbnail(picture) if small else b""]
