"""Open pictures safely and bring them to what an image tower sees; the one place that knows value ranges.

Knows no model: how a tower wants its square is told by a `Preprocessing`.
Ranges: PIL pictures and `prepare` hold uint8 0..255; `unit_range` float 0..1; `normalise` what mean and std make.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin, UnidentifiedImageError

from workbench.errors import BadPicture

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.backend import Picture

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 32_000_000  # width times height after decoding
MAX_BYTES = 10_000_000  # of one file

THREAD = 64  # times as long as wide: beyond, only the visible part is resampled
MARGIN = 8  # pixels that a filter may reach beyond what is visible
MAX_SCANS = 64  # passes of a progressive JPEG; each costs a walk over all pixels
SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
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


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the square that an image tower sees."""

    size: int  # side, pixels
    mean: tuple[float, float, float]  # of R, G, B in 0..1
    std: tuple[float, float, float]
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    resize: Literal["shortest", "squash"] = "shortest"  # keep the shape and crop the centre, or squash


def safe_open(picture: Picture) -> Image.Image:
    """Return an upright 8-bit RGB picture: EXIF applied, 16 bit scaled, CMYK converted, alpha over white.

    Colour profiles are ignored, as OpenAI's preprocessing ignores them. Of a photo that carries others behind it
    (MPO, as phones write) the first is taken. What is returned has no metadata left that could turn it once more.

    Raises:
        BadPicture: not a PNG, JPEG or WebP; over 10 MB or 32 megapixels; animated; corrupt.
    """
    if isinstance(picture, Image.Image):
        return _mended(picture, "given", fresh=False)
    if not isinstance(picture, str | Path):
        raise BadPicture(f"Pictures are files or Pillow images; got {type(picture).__name__}.")
    path = Path(picture)
    return safe_decode(_read(path), path.name)


def safe_decode(data: bytes, name: str) -> Image.Image:
    """Return the picture that a file's bytes hold, under the same rules as `safe_open`.

    Args:
        data: the whole file, as it lies in a table or an archive.
        name: what a message calls it.

    Raises:
        BadPicture: see `safe_open`.
    """
    if not data:
        raise BadPicture(f"The file {name!r} is empty.")
    if len(data) > MAX_BYTES:
        raise _too_long(len(data), name)
    if data.startswith(b"\xff\xd8") and data.count(b"\xff\xda") > MAX_SCANS:
        raise BadPicture(f"The JPEG {name!r} is drawn in more than {MAX_SCANS} passes; save it anew.")
    try:
        opened = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadPicture(f"Pictures may have at most {MAX_PIXELS // 10**6} megapixels; {name!r} has more.") from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Warning) as error:
        if data.startswith(SIGNATURES) and not isinstance(error, UnidentifiedImageError):
            raise _damaged(repr(name), error) from None
        raise BadPicture(f"Pictures are PNG, JPEG or WebP files; {name!r} cannot be read as one.") from None
    if getattr(opened, "is_animated", False) and opened.format != "MPO":
        raise BadPicture(f"An animated picture has many answers; give a still one: {name!r}.")
    return _mended(opened, repr(name), fresh=True)


def _read(path: Path) -> bytes:
    """Read a whole file, once, and no more of it than is allowed."""
    try:
        if not path.is_file():
            raise BadPicture(f"There is no picture file {path.name[:255]!r}.")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadPicture(f"The file {path.name[:255]!r} cannot be opened ({error.strerror}).") from None
    if len(data) > MAX_BYTES:
        raise _too_long(path.stat().st_size, path.name)
    return data


def _too_long(size: int, name: str) -> BadPicture:
    return BadPicture(f"Pictures may have at most {MAX_BYTES // 10**6} MB; {name!r} has {size / 1e6:.1f} MB.")


def _mended(picture: Image.Image, name: str, *, fresh: bool) -> Image.Image:
    """Check the size, then decode; a fresh picture is nobody else's and need not be copied."""
    width, height = picture.size
    if min(width, height) < 1:
        raise BadPicture(f"The picture {name} has no pixels.")
    if width * height > MAX_PIXELS:
        raise BadPicture(
            f"Pictures may have at most {MAX_PIXELS // 10**6} megapixels; "
            f"the picture {name} has {width} x {height} = {width * height / 1e6:.0f}."
        )
    try:
        return _upright_rgb(picture, fresh=fresh)
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, MemoryError, Warning) as error:
        raise _damaged(name, error) from None


def _damaged(name: str, error: Exception) -> BadPicture:
    """Say why, without the host's paths that the operating system's own messages hold."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return BadPicture(f"The picture {name} is damaged and cannot be read ({said[:120]}).")


def _upright_rgb(picture: Image.Image, *, fresh: bool) -> Image.Image:
    picture.load()
    turn = TURNS.get(_orientation(picture, fresh=fresh))
    upright = picture.transpose(turn) if turn is not None else picture
    if upright.mode.startswith("I") or upright.mode == "F":
        upright = _to_8_bit(upright)
    if upright.has_transparency_data:
        rgba = upright.convert("RGBA")
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
        found = exif.get(ExifTags.Base.Orientation, 1)
        if fresh:  # Pillow keeps what it has read; a fresh picture is handed on and must not be turned once more
            exif.pop(ExifTags.Base.Orientation, None)
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, struct.error, Warning):
        return 1
    return found if isinstance(found, int) else 1


def _to_8_bit(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture)
    if picture.mode == "F":
        if not np.isfinite(values).all():
            raise ValueError("it holds values that are no numbers")
        return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
    levels = np.rint(np.arange(65536) / 257).astype(np.uint8)  # a table needs a quarter of the memory of a division
    return Image.fromarray(levels[np.clip(values, 0, 65535)])


def prepare(picture: Image.Image, to: Preprocessing) -> Tensor:
    """Resize and crop an upright RGB picture; (3, size, size) uint8.

    Pillow resamples, so that the square is OpenAI's bit for bit. Torchvision's 8-bit resampling takes a third of the
    time, but its 16-bit weights put some values of one synthetic picture in seven two levels off.
    """
    import torch

    width, height = picture.size
    wide, high = to.size, to.size
    if to.resize == "shortest":
        wide, high = (int(to.size * side / min(width, height)) for side in picture.size)  # torchvision's rounding
    left, top = round((wide - to.size) / 2.0), round((high - to.size) / 2.0)
    if max(wide, high) <= THREAD * to.size:
        whole = picture.resize((wide, high), _filter(to))
        square = whole.crop((left, top, left + to.size, top + to.size))
    else:
        square = _resize_visible(picture, to, (left * width / wide, top * height / high))
    return torch.from_numpy(np.array(square)).permute(2, 0, 1).contiguous()


def _resize_visible(picture: Image.Image, to: Preprocessing, start: tuple[float, float]) -> Image.Image:
    """Resample only what the square shows of a thread-like picture; all of a 1 x 30,000 one would take 4.5 GB.

    It is cut out first, with room for the filter, because Pillow keeps a box in single precision.
    """
    side = min(picture.size)  # of the square that is seen, in pixels of the picture
    corner = [max(0, int(at) - MARGIN) for at in start]
    ends = [min(whole, int(at) + side + 2 * MARGIN) for whole, at in zip(picture.size, start, strict=True)]
    cut = picture.crop((corner[0], corner[1], ends[0], ends[1]))
    x, y = (at - begin for at, begin in zip(start, corner, strict=True))
    box = (x, y, min(x + side, cut.width), min(y + side, cut.height))
    return cut.resize((to.size, to.size), _filter(to), box=box)


def _filter(to: Preprocessing) -> Image.Resampling:
    return Image.Resampling.BICUBIC if to.interpolation == "bicubic" else Image.Resampling.BILINEAR


def unit_range(pixels: Tensor) -> Tensor:
    """Uint8 0..255 -> float32 0..1."""
    return pixels.float() / 255.0


def normalise(pixels: Tensor, to: Preprocessing) -> Tensor:
    """(n, 3, h, w) float in 0..1 -> the same, minus mean, over standard deviation."""
    mean = pixels.new_tensor(to.mean).view(1, 3, 1, 1)
    std = pixels.new_tensor(to.std).view(1, 3, 1, 1)
    return (pixels - mean) / std
