"""Grids of images: prompts by seeds, methods by seeds, strengths of an edit; one sheet with titles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import BadInput
from workbench.generation.settings import Settings, methods, read_settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

MOST = 100  # images of a grid
_GAP, _TITLE = 6, 22  # pixels


@dataclass(frozen=True)
class Grid:
    """Settings of each cell, row by row, with the titles of rows and columns."""

    cells: tuple[tuple[Settings, ...], ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of images."""
        return len(self.rows) * len(self.columns)


def grid(
    settings: Settings,
    *,
    prompts: Sequence[str] = (),
    methods: Sequence[str] = (),
    seeds: int = 1,
    strengths: Sequence[float] = (),
) -> Grid:
    """Lay out a grid: prompts in rows, or methods where there is one prompt; seeds or strengths in columns.

    With several prompts and several methods, methods take the columns, each with its seeds.

    Raises:
        BadInput: no cell, too many, or settings out of bounds.
    """
    texts = tuple(prompts) or (settings.prompt,)
    ways = tuple(methods) or (settings.method,)
    numbers = [settings.seed + step for step in range(seeds)]
    by_prompt = len(texts) > 1 or len(ways) == 1
    columns: list[tuple[str, dict[str, object]]] = []
    for way in ways if by_prompt else (None,):
        name, base = ("", {}) if way is None or len(ways) == 1 else (f"{_title(way)}, ", {"method": way})
        columns += [(f"{name}strength {one:g}", {**base, "strength": one}) for one in strengths]
        if not strengths:
            columns += [(f"{name}seed {one}", {**base, "seed": one}) for one in numbers]
    rows: list[tuple[str, dict[str, object]]]
    if by_prompt:
        rows = [(text, {"prompt": text, **({"method": ways[0]} if len(ways) == 1 else {})}) for text in texts]
    else:
        rows = [(_title(way), {"method": way}) for way in ways]
    if not 1 <= len(rows) * len(columns) <= MOST:
        raise BadInput(f"A grid has 1 to {MOST} images; these settings give {len(rows) * len(columns)}.")
    given = settings.model_dump()
    cells = tuple(tuple(read_settings({**given, **row, **column}) for _, column in columns) for _, row in rows)
    return Grid(cells, tuple(title for title, _ in rows), tuple(title for title, _ in columns))


def sheet(layout: Grid, images: Sequence[NDArray[np.uint8]], *, side: int = 192) -> Image.Image:
    """Paste images, row by row, on one sheet with titles; the cells that are still missing stay grey.

    Args:
        layout: of the grid.
        images: (h, w, 3) each, as many as there are so far.
        side: pixels of a cell.
    """
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(13)
    across, down = len(layout.columns), len(layout.rows)
    width, height = across * (side + _GAP) + _GAP, _TITLE + down * (side + _TITLE + _GAP) + _GAP
    page = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(page)
    for column, title in enumerate(layout.columns):
        pen.text((_GAP + column * (side + _GAP), 4), _short(title, side), fill="black", font=font)
    for number in range(layout.count):
        row, column = divmod(number, across)
        left, top = _GAP + column * (side + _GAP), _TITLE + row * (side + _TITLE + _GAP)
        if column == 0:
            pen.text((_GAP, top + 4), _short(layout.rows[row], width - 2 * _GAP), fill="black", font=font)
        if number < len(images):
            tile = Image.fromarray(images[number]).resize((side, side), Image.Resampling.BICUBIC)
            page.paste(tile, (left, top + _TITLE))
        else:
            pen.rectangle((left, top + _TITLE, left + side, top + _TITLE + side), fill=(225, 225, 225))
    return page


def _title(method: str) -> str:
    return methods().get(method, method).partition(":")[0]


def _short(text: str, width: int) -> str:
    most = max(4, width // 7)
    return text if len(text) <= most else f"{text[: most - 1]}…"
