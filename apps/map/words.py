"""Texts, rows and the canvas of the map view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from apps._point_map import PointMap
from apps._point_map import canvas as drawn_map
from apps.map.points import OTHERS, MapPoint
from workbench.retrieval.clusters import NamedCluster
from workbench.retrieval.projection import Projection

IDLE = "Choose images and texts, then press “Draw the map”."
HEADERS = ["name", "kind", "group"]
CLUSTER_HEADERS = ["cluster", "images", "name", "tells it apart", "by chance"]
ROWS = 200  # of the table
EXPLAINED = """
Each point is an image (disc) or a text (square), placed by the two directions in which the vectors differ most (PCA).
Images and texts of a CLIP model lie in two clouds with a gap between them; **centring** subtracts each cloud's mean, so
that what belongs together comes to lie together. Distances on a map are rough: read neighbours, not lengths.

Draw a lasso with mouse or finger to list what it holds. With the keyboard, Enter on the map lists everything and Escape
nothing; the table beside it holds the same points. **Send to** hands the chosen images to another view: to Audits with
their labels, to Evaluate as classes; images of one label go as “chosen” against “others”.

**Clusters** (k-means) are named with the words that tell their images best from all others. Half of a cluster's images
chooses the name; on the other half, **tells it apart** is how often the first word fits an image of the cluster better
than one outside (area under the ROC curve with its 95 % interval; 0.5 is chance). **By chance** is the same for a
random cluster of that size.
"""


def canvas(points: Sequence[MapPoint], groups: Sequence[str], projection: Projection) -> str:
    """Return the map and its legend as HTML; names of texts stand beside their squares."""
    squares = [point.kind == "text" for point in points]
    names = [point.name for point in points]
    texts = sum(squares)
    alt = f"Map of {len(points) - texts} images and {texts} texts; the table beside it lists them."
    return drawn_map(PointMap(names, groups, legend(groups), projection.positions, squares), alt=alt, box="map-chosen")


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
        lines.append(f"The two axes hold {projection.explained:.0%} of the variance.")
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
