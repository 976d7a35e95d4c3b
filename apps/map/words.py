"""Texts, rows and the canvas of the map view."""

from __future__ import annotations

import base64
import html
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.map.points import CLUSTER, OTHERS, MapPoint
from workbench.retrieval.clusters import NamedCluster
from workbench.retrieval.projection import Projection

IDLE = "Choose images and texts, then press “Draw the map”."
HEADERS = ["name", "kind", "group"]
CLUSTER_HEADERS = ["cluster", "images", "name", "tells it apart", "by chance"]
ROWS = 200  # of the table
NAMED = 2_000  # points of a map that says the name of each under the pointer
EXPLAINED = """
Each point is an image (disc) or a text (square), placed by the two directions in which the vectors differ most (PCA).
Images and texts of a CLIP model lie in two clouds with a gap between them; **centring** subtracts each cloud's mean, so
that what belongs together comes to lie together. Distances on a map are rough: read neighbours, not lengths.

A map of up to 300 images shows them all; on a larger one those in the lasso stand below it, and the point under the
pointer says its name, up to 2,000 points. Draw a lasso with mouse or finger to list what it
holds. **Move**, or the Shift key, drags the map instead; two fingers zoom, and so does the wheel once the map is
clicked. With the keyboard, + − 0 zoom and arrows move, Enter on the map lists everything and Escape nothing; the table
beside it holds the same points. An index shows up to 100,000 of its images, drawn at random where it has more; a slow
machine leaves points out while the map moves. **Send to** hands the chosen images to another view: to Audits with their
labels, to Evaluate as classes; images of one label go as “chosen” against “others”.

**Clusters** (k-means) are named with the words that tell their images best from all others. Half of a cluster's images
chooses the name; on the other half, **tells it apart** is how often the first word fits an image of the cluster better
than one outside (area under the ROC curve with its 95 % interval; 0.5 is chance). **By chance** is the same for a
random cluster of that size.
"""


BUTTONS = (("move", "Move", "Drag to move the map, not to draw a lasso"), ("+", "+", "Zoom in"), ("-", "−", "Zoom out"))


def canvas(
    points: Sequence[MapPoint],
    groups: Sequence[str],
    projection: Projection,
    *,
    thumbs: Mapping[int, str] | None = None,
    by: str = "",
) -> str:
    """Return the map and its legend as HTML: places in 16 bits an axis, a byte for the group, names.

    Args:
        points: what is on the map.
        groups: of each point.
        projection: their places.
        thumbs: data addresses of small images, by the number of their point.
        by: what colours the points; clusters are named on the map.
    """
    places = projection.positions - projection.positions.min(axis=0)
    places = places / np.maximum(places.max(axis=0), 1e-9)
    order = legend(groups)
    colours = {name: number for number, name in enumerate(order)}
    packed = (places * 65535).round().astype("<u2").tobytes(), bytes(colours[group] for group in groups)
    texts = {number: point.name[:40] for number, point in enumerate(points) if point.kind == "text"}
    every = [point.name[-40:] for point in points] if len(points) <= NAMED else []
    named = _middles(places, groups) if by == CLUSTER else []
    names = ("places", "groups", "texts", "names", "thumbs", "labels")
    lists = (html.escape(json.dumps(one), quote=True) for one in (texts, every, dict(thumbs or {}), named))
    values = (*(base64.b64encode(one).decode() for one in packed), *lists)
    data = " ".join(f'data-{name}="{value}"' for name, value in zip(names, values, strict=True))
    images = len(points) - len(texts)
    alt = f"Map of {images} images and {len(points) - images} texts; the table beside it lists them."
    buttons = "".join(
        f'<button type="button" data-map="{key}" title="{title}" aria-label="{title}"'
        f"{' aria-pressed=false' if key == 'move' else ''}>{shown}</button>"
        for key, shown, title in (*BUTTONS, ("0", "Whole", "Show the whole map"))
    )
    parts = "".join(
        f'<span class="group g{number}">{html.escape(name)} ({groups.count(name)})</span>'
        for number, name in enumerate(order)
    )
    return (
        f'<div><div class="map-frame"><canvas class="map" tabindex="0" role="img" aria-label="{alt}" {data}></canvas>'
        f'<canvas class="map-glass" aria-hidden="true"></canvas><div class="map-buttons">{buttons}</div></div>'
        f'<div class="notes map-legend">{parts}</div></div>'
    )


def _middles(places: NDArray[Any], groups: Sequence[str]) -> list[tuple[float, float, str]]:
    """Return where the name of each cluster stands, the median of its points, and the first word of its name."""
    own, named = np.asarray(groups), []
    for name in legend(groups):
        if name not in (OTHERS, "text"):
            x, y = np.median(places[own == name], axis=0)
            named.append((round(float(x), 4), round(float(y), 4), name.split(": ", 1)[-1].split(",")[0]))
    return named


def strip(points: Sequence[MapPoint], thumbs: Mapping[int, str]) -> str:
    """Return the thumbnails of chosen points in a row that wraps, as HTML."""
    images = (
        f'<img src="{address}" alt="{html.escape(points[at].name[-40:], quote=True)}" width="56" height="56">'
        for at, address in thumbs.items()
    )
    return f'<div class="map-strip">{"".join(images)}</div>'


def legend(groups: Sequence[str]) -> list[str]:
    """Return the groups in the order of their colours: the largest first, what is left and texts last."""
    counts = Counter(groups)
    own = [name for name, _ in counts.most_common() if name not in (OTHERS, "text")]
    return own + [name for name in (OTHERS, "text") if name in counts]


def status(points: Sequence[MapPoint], projection: Projection, *, centred: bool) -> str:
    """Say what is shown, and how far apart images and texts lie."""
    images = sum(point.kind == "image" for point in points)
    lines = [f"**{images} images and {len(points) - images} texts.**"]
    if projection.explained is not None:
        lines.append(f"The two axes hold {100 * projection.explained:.0f} % of the variance.")
    if projection.gap:
        lines.append(f"Modality gap: {projection.gap:.2f} (distance of the means of unit vectors, 0 to 2)")
        lines[-1] += ", closed on this map by centring." if centred else "."
    return " ".join(lines)


def rows(points: Sequence[MapPoint], groups: Sequence[str]) -> list[list[str]]:
    """Return points as rows of text, at most 200."""
    return [[point.name, point.kind, group] for point, group in zip(points[:ROWS], groups[:ROWS], strict=True)]


def cluster_rows(named: Sequence[NamedCluster]) -> list[list[str]]:
    """Return clusters with their evidence as rows of text."""
    return [
        [
            str(one.number + 1),
            str(one.size),
            one.name,
            "too few" if one.tells is None or one.tells.value is None
            else f"{one.tells.value:.2f} ({one.tells.low:.2f} to {one.tells.high:.2f})",
            "–" if one.shuffled is None else f"{one.shuffled:.2f}",
        ]
        for one in named
    ]  # fmt: skip
