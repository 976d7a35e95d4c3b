"""Line drawings: emoji as fonts have them, in one colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from workbench.errors import BadInput
from workbench.training.pocket.ingredients import npm

NPM = {"noto-lines": "@fontsource/noto-emoji"}
DEBIAN = {"symbola": ("fonts-symbola", Path("/usr/share/fonts/truetype/ancient-scripts/Symbola_hint.ttf"))}
INK = (32, 32, 32, 255)


def files(style: str, modules: Path) -> list[Path]:
    """The font files of a style, by name.

    Args:
        style: of `NPM` or `DEBIAN`.
        modules: a `node_modules`.

    Raises:
        BadInput: its package is not installed.
    """
    if style in NPM:
        return sorted(npm(modules, NPM[style], "files").glob("*-400-normal.woff"))
    name, file = DEBIAN[style]
    if not file.exists():
        raise BadInput(f"The recipe needs the Debian package {name!r}: `apt-get install {name}`. Looked for {file}.")
    return [file]


def drawn(fonts: Sequence[Path], codes: Sequence[str], *, side: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Draw what is one character of these fonts: yields places in `codes` with drawings, (side, side, 4).

    Args:
        fonts: files.
        codes: such as `1F42A`, or `2764-FE0F`, where `FE0F` says that a picture is meant.
        side: pixels.
    """
    from fontTools.ttLib import TTFont

    places = {int(code.removesuffix("-FE0F"), 16): place for place, code in enumerate(codes) if _is_one(code)}
    for file in fonts:
        face = ImageFont.truetype(str(file), side)
        for point in sorted(TTFont(file).getBestCmap().keys() & places.keys()):
            yield places.pop(point), _glyph(face, chr(point), side)


def _is_one(code: str) -> bool:
    return "-" not in code.removesuffix("-FE0F")


def _glyph(face: ImageFont.FreeTypeFont, character: str, side: int) -> NDArray[np.uint8]:
    """Centred, as large as it fits."""
    picture = Image.new("RGBA", (2 * side, 2 * side), (*INK[:3], 0))
    ImageDraw.Draw(picture).text((side, side), character, font=face, fill=INK, anchor="mm")
    cut = picture.crop(picture.getbbox(alpha_only=True))
    longer = max(cut.size)
    square = Image.new("RGBA", (longer, longer), (*INK[:3], 0))
    square.paste(cut, ((longer - cut.width) // 2, (longer - cut.height) // 2))
    return np.asarray(square.resize((side, side), Image.Resampling.BICUBIC)).copy()
