"""An attribution to look at, and the same in words for those who cannot see it.

Colours are safe for colour-blind eyes: cividis (Nuñez, Anderton and Renslow 2018,
doi:10.1371/journal.pone.0199239) for evidence, ColorBrewer's PuOr for evidence on both sides of zero.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workbench.errors import BadInput, WorkbenchError

BRIGHTEST = 99.5  # percentile of the map's size that gets the end colour: single pixels shall not dim the rest
ROWS = ("top", "middle", "bottom")
COLUMNS = ("left", "centre", "right")


def overlay(square: Image.Image, attribution_map: NDArray[np.float32], opacity: float, *, signed: bool) -> Image.Image:
    """Lay a map over the square that it is about.

    Args:
        square: RGB (s, s), as the image tower saw it.
        attribution_map: (s, s), any unit; the colours reach to the 99.5th percentile of its size.
        opacity: 0 shows the picture alone, 1 the map alone.
        signed: colour both signs (`legend` says how); otherwise the positive part alone.

    Returns:
        RGB (s, s). A map without anything to colour leaves the picture as it is.

    Raises:
        BadInput: shapes do not fit, or the opacity is not in 0..1.
        WorkbenchError: the map holds NaN or infinity.
    """
    values = _checked(attribution_map)
    if values.shape != square.size[::-1]:
        raise BadInput(f"Map and picture have the same size; got {values.shape[::-1]} and {square.size}.")
    if not 0 <= opacity <= 1:
        raise BadInput(f"The opacity lies between 0 and 1; got {opacity!r}.")
    shown = values if signed else np.maximum(values, 0)
    size = np.abs(shown)
    peak = float(np.percentile(size, BRIGHTEST)) or float(size.max())
    if peak <= 0:
        return square.convert("RGB")
    level = shown * (127.5 / peak) + 127.5 if signed else shown * (255 / peak)
    indices = np.rint(level.clip(0, 255)).astype(np.uint8)
    coloured = Image.fromarray(_colours("PuOr" if signed else "cividis")[indices])
    return Image.blend(square.convert("RGB"), coloured, float(opacity))


def legend(*, signed: bool) -> str:
    """Say what the colours of `overlay` mean."""
    if signed:
        return "Purple speaks for the label, orange against it; white: no evidence."
    return "Yellow speaks for the label; dark blue: no evidence."


def ninths(attribution_map: NDArray[np.float32]) -> NDArray[np.float64]:
    """Share of the positive evidence in each ninth of the picture.

    Args:
        attribution_map: (s, s) signed, s at least 3.

    Returns:
        (3, 3), top row first, adding up to 1; NaN everywhere where the map has no positive evidence.
    """
    values = np.maximum(_checked(attribution_map), 0).astype(np.float64)
    bounds = [np.rint(np.linspace(0, side, 4)).astype(int)[:3] for side in values.shape]
    sums = np.add.reduceat(np.add.reduceat(values, bounds[0], axis=0), bounds[1], axis=1)
    whole = sums.sum()
    shares: NDArray[np.float64] = sums / whole if whole > 0 else np.full((3, 3), np.nan)
    return shares


def summary(attribution_map: NDArray[np.float32]) -> str:
    """Put a map into words: where most of the evidence lies, then all ninths, then what speaks against the label."""
    shares = ninths(attribution_map)
    if np.isnan(shares).any():
        return "This method found no evidence for the label in this image."
    order = np.argsort(-shares, axis=None, kind="stable")[:2]
    most = [f"{100 * shares.flat[i]:.0f} % {_place(int(i))}" for i in order if shares.flat[i] > 0]
    rows = "; ".join(
        f"{name} {', '.join(f'{100 * share:.0f} %' for share in row)}" for name, row in zip(ROWS, shares, strict=True)
    )
    against = float(np.maximum(-attribution_map, 0).sum(dtype=np.float64))
    whole = float(np.abs(attribution_map).sum(dtype=np.float64))
    end = f" Of the whole map, {100 * against / whole:.0f} % speaks against the label." if against > 0 else ""
    return f"Most evidence for the label: {', then '.join(most)}. From left to right: {rows}.{end}"


def _place(ninth: int) -> str:
    row, column = ROWS[ninth // 3], COLUMNS[ninth % 3]
    return "in the centre" if (row, column) == ("middle", "centre") else f"{row} {column}"


def _checked(attribution_map: NDArray[np.float32]) -> NDArray[np.float32]:
    if attribution_map.ndim != 2 or min(attribution_map.shape) < 3:
        raise BadInput(f"A map has rows and columns, at least 3 each; got shape {attribution_map.shape}.")
    if not np.isfinite(attribution_map).all():
        raise WorkbenchError("The map has NaN or infinity and cannot be shown.")
    return attribution_map


@lru_cache(maxsize=2)
def _colours(name: str) -> NDArray[np.uint8]:
    """A matplotlib colour map as a table; (256, 3)."""
    from matplotlib import colormaps

    table: NDArray[np.uint8] = colormaps[name](np.arange(256), bytes=True)[:, :3]
    return table
