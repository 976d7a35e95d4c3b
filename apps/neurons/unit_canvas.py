"""Units as points on a canvas with a legend; `unit_map.js` draws and names them, and hands the chosen one to the page.

With the keyboard, arrows go from unit to unit and name each one, Enter chooses.
"""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class UnitPoints:
    """What is on a map of n units."""

    names: Sequence[str]  # n
    groups: Sequence[str]  # n
    order: Sequence[str]  # groups in the order of their colours, at most nine
    positions: NDArray[np.float32]  # (n, 2)


def canvas(shown: UnitPoints, *, alt: str, box: str) -> str:
    """Return a map with its legend as HTML; positions become 0..1.

    Args:
        shown: the units.
        alt: what the map shows, for those who do not see it.
        box: element id of the text box that takes the number of the chosen unit, and when it was chosen.
    """
    places = shown.positions - shown.positions.min(axis=0)
    places = places / np.maximum(places.max(axis=0), 1e-9)
    colours = {name: number for number, name in enumerate(shown.order)}
    drawn = [
        [round(float(x), 4), round(float(y), 4), colours[group], name]
        for name, group, (x, y) in zip(shown.names, shown.groups, places, strict=True)
    ]
    counts = Counter(shown.groups)
    parts = "".join(
        f'<span class="group g{number}">{html.escape(name)} ({counts[name]})</span>'
        for number, name in enumerate(shown.order)
    )
    points = html.escape(json.dumps(drawn), quote=True)
    return (
        f'<div><canvas class="unit-map" tabindex="0" role="img" aria-label="{html.escape(alt, quote=True)}" '
        f'data-box="{html.escape(box, quote=True)}" data-points="{points}"></canvas>'
        '<div class="notes map-name" aria-live="polite">&nbsp;</div>'
        f'<div class="notes map-legend">{parts}</div></div>'
    )
