"""A contact sheet: thumbnails in rows on one image, each with a line of text below it."""

from __future__ import annotations

import io
from collections.abc import Sequence

from workbench.errors import BadInput
from workbench.images import safe_decode

CELL, LINE, COLUMNS = 180, 22, 6  # pixels of a thumbnail's square, of a line of text; thumbnails in a row
MOST = 240  # thumbnails
LONGEST = 40  # letters of a line that are looked at
_EDGE = 10


def contact_sheet(thumbnails: Sequence[bytes], lines: Sequence[str]) -> bytes:
    """Return a JPEG with the thumbnails in order, row by row.

    Args:
        thumbnails: n encoded images, 1 to 240.
        lines: what stands below each; cut where it is too long.

    Raises:
        BadInput: no image, too many, or another number of lines.
    """
    from PIL import Image, ImageDraw, ImageFont

    if not 1 <= len(thumbnails) <= MOST or len(lines) != len(thumbnails):
        raise BadInput(f"A contact sheet holds 1 to {MOST} images with a line each; got {len(thumbnails)}.")
    columns = min(COLUMNS, len(thumbnails))
    rows = -(-len(thumbnails) // columns)
    across, down = CELL + _EDGE, CELL + LINE + _EDGE
    sheet = Image.new("RGB", (columns * across + _EDGE, rows * down + _EDGE), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for at, (data, line) in enumerate(zip(thumbnails, lines, strict=True)):
        left, top = _EDGE + at % columns * across, _EDGE + at // columns * down
        small = safe_decode(data, "thumbnail")
        small.thumbnail((CELL, CELL))
        sheet.paste(small, (left + (CELL - small.width) // 2, top + (CELL - small.height) // 2))
        shown = line = line[:LONGEST]
        while pen.textlength(shown, font) > CELL:
            line = line[:-1]
            shown = line + "…"
        pen.text((left, top + CELL + 4), shown, "black", font)
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()
