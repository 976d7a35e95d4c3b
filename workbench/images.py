"""Open images safely: a file becomes an upright 8-bit RGB image, or a sentence that says why it cannot.

Does not know about models and tensors; `preprocessing` makes what an image tower sees.
"""

from __future__ import annotations

import io
import re
import struct
import threading
import warnings
import zlib
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import ExifTags, Image, ImageFile, PngImagePlugin, UnidentifiedImageError

from workbench.errors import BadInput, BadPicture, WorkbenchError
from workbench.worker import active
from workbench.worker.jobs import DECODE, DECODE_LARGE, IMAGE_SIZE, PNG_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from workbench.backend import Picture
    from workbench.scheduler import CancelScope

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 32_000_000  # width times height after decoding
MAX_SIDE = 16_384  # width or height after decoding
LARGE = 4_000_000  # pixels; larger images wait for each other, and smaller ones do not wait for them
LARGE_AT_ONCE = 2  # of the largest, that the whole process decodes at a time
SMALL_AT_ONCE = 8  # of the largest small ones
MAX_BYTES = 10_000_000  # of one file

PART = 1_000_000  # bytes of pixels that a worker hands on at a time
MAX_SCANS = 32  # passes of a progressive JPEG; each walks over all pixels; usual ones have 10 or so
MAX_PARTS = 16_000  # marked parts of a JPEG, which Pillow keeps one by one; photos have 10 to 50, 10 MB of noise 8,400
MAX_EXIF = 65_536  # bytes of EXIF metadata, as one part of a JPEG can hold; Pillow reads n bytes in time n squared
DAMAGE = (  # what Pillow raises
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, struct.error, zlib.error, Warning),
)
SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
PARTS = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")  # a JPEG's markers of parts that say their length, and of its end
EXIF, HIDDEN = b"Exif\0\0", b"Exif\0-"  # how EXIF metadata begins, and what Pillow does not take for it
TURNS = {  # EXIF orientation -> what makes it upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow's own second line of defence; what it would warn about is refused here with a sentence
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
PngImagePlugin.MAX_TEXT_CHUNK = 1_000_000  # bytes of one text, unpacked
PngImagePlugin.MAX_TEXT_MEMORY = 8_000_000  # bytes of all texts


class _Gate:
    """Lets threads decode at the same time, up to a number of pixels together."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._changed = threading.Condition()

    @contextmanager
    def pixels(self, number: int) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: self._left >= number)
            self._left -= number
        try:
            yield
        finally:
            with self._changed:
                self._left += number
                self._changed.notify_all()


_decoding = {True: _Gate(LARGE_AT_ONCE * MAX_PIXELS), False: _Gate(SMALL_AT_ONCE * LARGE)}  # is it large -> gate


def check_pictures(pictures: Sequence[Picture]) -> None:
    """Refuse what is no list of files and Pillow images; what a file holds, `safe_open` sees.

    Raises:
        BadInput: one picture instead of a list, an empty list, or one with something else in it.
    """
    if isinstance(pictures, str | Path | Image.Image):
        raise BadInput(f"Images are a list, such as ['cat.png']; got one {type(pictures).__name__}.")
    if not len(pictures):
        raise BadInput("Give at least one image; got none.")
    for picture in pictures:
        _check_kind(picture)


def safe_open(picture: Picture, *, shorter: int = 0) -> Image.Image:
    """Return an upright 8-bit RGB picture: EXIF applied, 16 bit scaled, CMYK converted, alpha over white.

    Colour profiles are ignored, as OpenAI's preprocessing ignores them. Of a photo that carries others behind it
    (MPO, as phones write) the first is taken. What is returned has no metadata left that could turn it once more.

    Args:
        picture: a file or an opened image.
        shorter: pixels that the shorter side has at most: a larger image is made smaller where it is decoded, which
            spares the way of all its pixels from a worker; 0 for any size.

    Raises:
        BadPicture: not a PNG, JPEG or WebP; over 10 MB, 32 megapixels or 16,384 pixels a side; animated; corrupt.
    """
    if isinstance(picture, Image.Image):
        return _shrunk(_mended(picture, "given", fresh=False), shorter)
    _check_kind(picture)
    path = Path(picture)
    return safe_decode(read_file(path), path.name, shorter=shorter)


def safe_decode(data: bytes, name: str, *, shorter: int = 0, scope: CancelScope | None = None) -> Image.Image:
    """Return the picture that a file's bytes hold, under the same rules as `safe_open`.

    Where a server has workers, one of them decodes.

    Args:
        data: the whole file, as it lies in a table or an archive.
        name: what a message calls it.
        shorter: see `safe_open`.
        scope: how long the caller waits for a worker.

    Raises:
        BadPicture: see `safe_open`; or the worker died of it.
        Cancelled, DeadlinePassed: the scope is over.
    """
    check_length(data, name)
    pool = active()
    if pool is None:
        return _shrunk(_mended(_opened_safely(data, name), repr(name), fresh=True), shorter)
    arguments = {"name": name, "shorter": shorter}
    picture = pool.call(DECODE, {**arguments, "most": LARGE}, data, read=_received, scope=scope)
    if picture is None:
        picture = pool.call(DECODE_LARGE, {**arguments, "most": MAX_PIXELS}, data, read=_received, scope=scope)
    assert picture is not None
    return picture


def check_length(data: bytes, name: str) -> None:
    """Refuse an empty file, and one that is too long.

    Raises:
        BadPicture: see above.
    """
    if not data:
        raise BadPicture(f"The file {name!r} is empty.")
    if len(data) > MAX_BYTES:
        raise _too_long(len(data), name)


def decode_here(data: bytes, name: str, *, most: int = MAX_PIXELS) -> Image.Image | None:
    """Decode in this process, as a worker does; None for an image of more than `most` pixels that is not too large.

    Raises:
        BadPicture: see `safe_open`.
    """
    opened = _opened_safely(data, name)
    if most < opened.width * opened.height <= MAX_PIXELS:
        return None
    return _mended(opened, repr(name), fresh=True)


def _decode_job(
    data: bytes, *, name: str, most: int, shorter: int
) -> Iterator[tuple[tuple[int, int] | None, Iterable[bytes]]]:
    """Decode in a worker: size and pixels of an image; None for one of more than so many pixels."""
    picture = decode_here(data, name, most=most)
    if picture is None:
        yield None, ()
        return
    picture = _shrunk(picture, shorter)
    lines = max(1, PART // (3 * picture.width))
    tops = range(0, picture.height, lines)
    boxes = ((0, top, picture.width, min(top + lines, picture.height)) for top in tops)
    yield picture.size, (picture.crop(box).tobytes() for box in boxes)


def _shrunk(picture: Image.Image, shorter: int) -> Image.Image:
    side = min(picture.size)
    if not shorter or side <= shorter:
        return picture
    width, height = (max(1, round(one * shorter / side)) for one in picture.size)
    return picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)


def _size_job(data: bytes) -> Iterator[tuple[int, Iterable[bytes]]]:
    """Read in a worker how many pixels an image has; 0 where that cannot be said."""
    yield _pixels(data), ()


def _png_text_job(data: bytes, *, name: str, key: str) -> Iterator[tuple[str | None, Iterable[bytes]]]:
    """Read a PNG's text in a worker; see `png_text`."""
    yield _png_text(data, name, key), ()


def _received(size: tuple[int, int] | None, pixels: memoryview) -> Image.Image | None:
    return None if size is None else Image.frombytes("RGB", (size[0], size[1]), pixels)


def _opened_safely(data: bytes, name: str) -> ImageFile.ImageFile:
    _check_parts(data, name)
    try:
        opened = _opened(data)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadPicture(f"Images may have at most {MAX_PIXELS // 10**6} megapixels; {name!r} has more.") from None
    except DAMAGE as error:
        if data.startswith(SIGNATURES) and not isinstance(error, UnidentifiedImageError):
            raise _damaged(repr(name), error) from None
        raise BadPicture(f"Images are PNG, JPEG or WebP files; {name!r} cannot be read as one.") from None
    if getattr(opened, "is_animated", False) and opened.format != "MPO":
        raise BadPicture(f"{name!r} is animated; give a still image.")
    return opened


def _check_parts(data: bytes, name: str) -> None:
    if not data.startswith(b"\xff\xd8"):
        return
    if sum(1 for _ in islice(PARTS.finditer(data), MAX_PARTS + 1)) > MAX_PARTS:
        raise BadPicture(f"The JPEG {name!r} has more than {MAX_PARTS:,} parts; save it again without them.")
    if _passes(data) > MAX_SCANS:
        raise BadPicture(f"The JPEG {name!r} has more than {MAX_SCANS} progressive passes; save it again without them.")


def _passes(data: bytes) -> int:
    """Count passes up to a JPEG's end, from part to part as a decoder goes; what follows, such as a video, is none."""
    count, at = 0, 2
    while (part := PARTS.search(data, at)) and part[0] != b"\xff\xd9":
        count += part[0] == b"\xff\xda"
        at = part.end() + int.from_bytes(data[part.end() : part.end() + 2], "big")
    return count


def _opened(data: bytes) -> ImageFile.ImageFile:
    """Open a file; Pillow joins and reads a JPEG's EXIF metadata at once, without bound, so it gets it afterwards."""
    if not data.startswith(b"\xff\xd8"):
        return Image.open(io.BytesIO(data), formats=FORMATS)
    opened = Image.open(io.BytesIO(data.replace(EXIF, HIDDEN)), formats=FORMATS)
    parts = [part for name, part in getattr(opened, "applist", ()) if name == "APP1" and part.startswith(HIDDEN)]
    if parts:
        opened.info["exif"] = EXIF + b"".join(part[len(EXIF) :] for part in parts).replace(HIDDEN, EXIF)
    return opened


def is_large(picture: Picture) -> bool:
    """Whether decoding and resizing a picture takes long, from its size alone; False for what `safe_open` refuses."""
    if isinstance(picture, Image.Image):
        return picture.width * picture.height > LARGE
    try:
        data = read_file(Path(picture))
        pool = active()
        pixels = _pixels(data) if pool is None else pool.call(IMAGE_SIZE, {}, data, read=lambda value, _: int(value))
    except WorkbenchError:
        return False  # `safe_open` has the sentence for it
    return LARGE < pixels <= MAX_PIXELS


def _pixels(data: bytes) -> int:
    """Return width times height as a file states them; 0 where `safe_open` refuses it."""
    try:
        _check_parts(data, "")
        with _opened(data) as opened:
            return opened.width * opened.height
    except (Image.DecompressionBombError, BadPicture, *DAMAGE):
        return 0


def _check_kind(picture: object) -> None:
    if not isinstance(picture, str | Path | Image.Image):
        raise BadPicture(f"Images are files or Pillow images; got {type(picture).__name__}.")


def png_text(data: bytes, name: str, key: str) -> str | None:
    """Return what a PNG's bytes hold under a text key; None where there is nothing, or in another kind of file.

    Raises:
        BadPicture: see `safe_open`.
    """
    pool = active()
    if pool is None:
        return _png_text(data, name, key)
    return pool.call(
        PNG_TEXT, {"name": name, "key": key}, data, read=lambda text, _: None if text is None else str(text)
    )


def _png_text(data: bytes, name: str, key: str) -> str | None:
    decode_here(data, name)  # its size is checked before anything else is read
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            text = opened.text.get(key) if isinstance(opened, PngImagePlugin.PngImageFile) else None
    except DAMAGE as error:
        raise _damaged(repr(name), error) from None
    return None if text is None else str(text)


def read_file(path: Path) -> bytes:
    """Read a whole image file, once, and no more of it than is allowed.

    Raises:
        BadPicture: there is no such file, or it is too large.
    """
    try:
        if not path.is_file():
            raise BadPicture(f"There is no image file {path.name[:255]!r}.")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadPicture(f"The file {path.name[:255]!r} cannot be opened ({error.strerror}).") from None
    if len(data) > MAX_BYTES:
        raise _too_long(path.stat().st_size, path.name)
    return data


def _too_long(size: int, name: str) -> BadPicture:
    return BadPicture(f"Images may have at most {MAX_BYTES // 10**6} MB; {name!r} has {size / 1e6:.1f} MB.")


def _mended(picture: Image.Image, name: str, *, fresh: bool) -> Image.Image:
    """Check the size, then decode; a fresh picture is nobody else's and need not be copied."""
    width, height = picture.size
    if min(width, height) < 1:
        raise BadPicture(f"The image {name} has no pixels.")
    if max(width, height) > MAX_SIDE:
        raise BadPicture(f"Images may have at most {MAX_SIDE:,} pixels a side; {name} has {width:,} x {height:,}.")
    if width * height > MAX_PIXELS:
        raise BadPicture(
            f"Images may have at most {MAX_PIXELS // 10**6} megapixels; "
            f"the image {name} has {width} x {height} = {width * height / 1e6:.0f}."
        )
    try:
        with _decoding[width * height > LARGE].pixels(width * height):
            return _upright_rgb(picture, name, fresh=fresh)
    except (*DAMAGE, MemoryError) as error:
        raise _damaged(name, error) from None


def _damaged(name: str, error: Exception) -> BadPicture:
    """Say why, without the host's paths that the operating system's own messages hold."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return BadPicture(f"The image {name} is damaged and cannot be read ({reason[:120]}).")


def _upright_rgb(picture: Image.Image, name: str, *, fresh: bool) -> Image.Image:
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # a switch for the whole process, which WeasyPrint turns on
    picture.load()
    if picture.mode == "P" and picture.palette is None:
        raise ValueError("it has no palette")
    exif = max(len(picture.info.get("exif", b"")), len(picture.info.get("Raw profile type exif", "")) // 2)
    if exif > MAX_EXIF:
        raise BadPicture(f"Images may have at most {MAX_EXIF:,} bytes of EXIF metadata; {name} has {exif:,}.")
    turn = TURNS.get(_orientation(picture, fresh=fresh))
    upright = picture.transpose(turn) if turn is not None else picture
    if upright.mode.startswith("I") or upright.mode == "F":
        upright = _to_8_bit(upright)
    if upright.has_transparency_data:
        rgba = upright if upright.mode == "RGBA" else upright.convert("RGBA")
        upright = Image.new("RGB", rgba.size, (255, 255, 255))
        upright.paste(rgba, mask=rgba)
    elif upright.mode != "RGB":
        upright = upright.convert("RGB")
    elif upright is picture and not fresh:
        upright = picture.copy()
    upright.info = {}
    return upright


def _orientation(picture: Image.Image, *, fresh: bool) -> int:
    """EXIF's orientation, 1 to 8; 1 where the metadata is missing or damaged, which is no reason to refuse a photo."""
    try:
        exif = picture.getexif()
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        if fresh:  # Pillow keeps what it has read; a fresh picture is handed on and must not be turned once more
            exif.pop(ExifTags.Base.Orientation, None)
    except DAMAGE:
        return 1
    return orientation if isinstance(orientation, int) else 1


def _to_8_bit(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture)
    if picture.mode == "F":
        if not np.isfinite(values).all():
            raise ValueError("it holds values that are no numbers")
        return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
    levels = np.rint(np.arange(65536) / 257).astype(np.uint8)  # a table needs a quarter of the memory of a division
    return Image.fromarray(levels[np.clip(values, 0, 65535)])
