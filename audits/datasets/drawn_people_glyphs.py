"""Draw a person of OpenMoji's font as one glyph, or raise an error.

The font joins "woman, skin tone, joiner, microscope" into one drawing by a table of ligatures. Without a shaping
library the same text would become three drawings in a row. This module reads the table directly and gives each sequence
its own character in a copy of the font in memory.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from workbench.errors import BadInput
from workbench.pictures import openmoji_font

EM = 448  # side in pixels of a drawn figure, before it is scaled
_GLYPH = 340  # font size in pixels; leaves a margin on all sides
_PRIVATE = 0xE000  # first character of Unicode's private use area
_PICTURE = "\ufe0f"


class Glyphs:
    """Sequences of a font, each drawn as one figure."""

    def __init__(self, sequences: Iterable[str]) -> None:
        """Look up every sequence.

        Raises:
            BadInput: the font is not installed, or has no single drawing for a sequence.
        """
        self._characters, content = _single_characters(openmoji_font(), tuple(dict.fromkeys(sequences)))
        self._font = ImageFont.truetype(io.BytesIO(content), _GLYPH, layout_engine=ImageFont.Layout.BASIC)

    def figure(self, sequence: str) -> Image.Image:
        """Return the figure on a transparent background: RGBA, `EM` pixels square.

        Raises:
            BadInput: a sequence that was not looked up.
        """
        if sequence not in self._characters:
            raise BadInput(f"The sequence {spelt(sequence)} was not looked up in the font.")
        picture = Image.new("RGBA", (EM, EM), (0, 0, 0, 0))
        middle = (EM / 2, EM / 2)
        ImageDraw.Draw(picture).text(
            middle, self._characters[sequence], font=self._font, embedded_color=True, anchor="mm"
        )
        return picture


def spelt(sequence: str) -> str:
    """Return the code points of a sequence: "U+1F469 U+1F3FF"."""
    return " ".join(f"U+{ord(character):04X}" for character in sequence)


@functools.cache
def _single_characters(path: Path, sequences: tuple[str, ...]) -> tuple[dict[str, str], bytes]:
    """Return a private character for each sequence, and the font that draws them."""
    from fontTools.ttLib import TTFont

    copy = io.BytesIO()
    with TTFont(str(path), lazy=True) as font:
        known, ligatures = font.getBestCmap(), _ligatures(font)
        glyphs = {sequence: _glyph(sequence, known, ligatures) for sequence in sequences}
        absent = [sequence for sequence, glyph in glyphs.items() if glyph is None]
        if absent:
            raise BadInput(f"OpenMoji's font has no single drawing for {spelt(absent[0])}.")
        for table in font["cmap"].tables:
            if table.isUnicode() and table.format in (4, 12):
                table.cmap = {_PRIVATE + at: glyph for at, glyph in enumerate(glyphs.values())}
        font.save(copy)
    return {sequence: chr(_PRIVATE + at) for at, sequence in enumerate(glyphs)}, copy.getvalue()


def _ligatures(font: Any) -> dict[tuple[str, ...], str]:
    ligatures: dict[tuple[str, ...], str] = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            for first, rows in getattr(getattr(table, "ExtSubTable", table), "ligatures", {}).items():
                ligatures.update({(first, *row.Component): row.LigGlyph for row in rows})
    return ligatures


def _glyph(sequence: str, known: dict[int, str], ligatures: dict[tuple[str, ...], str]) -> str | None:
    """Return the one glyph of a sequence; fonts may leave out the variation selector."""
    for written in (sequence, sequence.replace(_PICTURE, "")):
        names = tuple(known.get(ord(character), "") for character in written)
        if len(names) == 1 and names[0]:
            return names[0]
        if names in ligatures:
            return ligatures[names]
    return None
