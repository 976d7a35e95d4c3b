"""HTML of results for notebooks: images as data URIs and tables of pandas. All text is escaped."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from pandas import DataFrame

    from workbench.backend import Picture

SIDE = 192  # pixels of an image's longer side
ROWS = 20  # of a table or a gallery


def block(title: str, *parts: str) -> str:
    """Return parts under a title; parts are HTML, the title is text."""
    return f"<div><p><strong>{html.escape(title)}</strong></p>{''.join(parts)}</div>"


def paragraph(text: str) -> str:
    """Return a paragraph of plain text."""
    return f"<p>{html.escape(text)}</p>" if text else ""


def image(picture: Picture, alt: str, *, side: int = SIDE) -> str:
    """Return a small image; its text alternative alone where it can no longer be opened."""
    from workbench.errors import BadInput
    from workbench.images import safe_open

    try:
        small = safe_open(picture)
    except BadInput:
        return f"<em>{html.escape(alt)}</em>"
    small.thumbnail((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return f'<img src="{data_uri(small)}" alt="{html.escape(alt, quote=True)}">'


def table(frame: DataFrame) -> str:
    """Return the first rows of a table, and how many follow."""
    rows = frame.head(ROWS).to_html(index=False, escape=True, border=0, float_format=lambda value: f"{value:.4g}")
    more = len(frame) - ROWS
    return rows + (paragraph(f"… and {more:,} more rows; to_frame() has all.") if more > 0 else "")


def png(picture: Image.Image) -> bytes:
    """Encode an image as PNG."""
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def data_uri(picture: Image.Image, kind: str = "PNG", **options: int) -> str:
    """Return an image as a data URI; `kind` and options are Pillow's."""
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(data.getvalue()).decode()}"
