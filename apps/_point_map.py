"""Points on a canvas with a legend, drawn by `point_map.js`: a lasso, or one click, hands their numbers to the page.

With the keyboard, arrows go from point to point and name each one, Enter chooses.
"""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LONGEST = 40  # characters of a name


@dataclass(frozen=True)
class PointMap:
    """What is on a map."""

    names: Sequence[str]  # n, of the points
    groups: Sequence[str]  # n
    order: Sequence[str]  # groups in the order of their colours, at most nine
    positions: NDArray[np.float32]  # (n, 2)
    squares: Sequence[bool] = ()  # n: drawn as a square with its name beside it; empty for none
    lasso: bool = True  # several points are chosen with a lasso, else one with a click


def canvas(shown: PointMap, *, alt: str, box: str) -> str:
    """Return a map with its legend as HTML; positions become 0..1.

    Args:
        shown: the points.
        alt: what the map shows, for those who do not see it.
        box: element id of the text box that takes the numbers of the chosen points, separated by commas.
    """
    places = shown.positions - shown.positions.min(axis=0)
    places = places / np.maximum(places.max(axis=0), 1e-9)
    colours = {name: number for number, name in enumerate(shown.order)}
    squares = shown.squares or [False] * len(shown.names)
    drawn = [
        [round(float(x), 4), round(float(y), 4), colours[group], name[:LONGEST], int(square)]
        for name, group, square, (x, y) in zip(shown.names, shown.groups, squares, places, strict=True)
    ]
    counts = Counter(shown.groups)
    parts = "".join(
        f'<span class="group g{number}">{html.escape(name)} ({counts[name]})</span>'
        for number, name in enumerate(shown.order)
    )
    points, kind = html.escape(json.dumps(drawn), quote=True), "lasso" if shown.lasso else "one"
    return (
        f'<div><canvas class="map" tabindex="0" role="img" aria-label="{html.escape(alt, quote=True)}" '
        f'data-box="{html.escape(box, quote=True)}" data-choose="{kind}" data-points="{points}"></canvas>'
        '<div class="notes map-name" aria-live="polite">&nbsp;</div>'
        f'<div class="notes map-legend">{parts}</div></div>'
    )
