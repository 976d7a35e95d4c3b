"""The items of an index: images, and videos as wholes, each with the vectors of its frames."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.retrieval.memory import matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.retrieval.index import ModelTable

FRAME = "#t="  # in a row's path, between the video and the second


@dataclass(frozen=True)
class CollectionItem:
    """An image or a video of an index."""

    path: str
    seconds: NDArray[np.float64]  # (n,) times of the frames, rising; empty for an image
    vectors: NDArray[np.float32]  # (n, dim) unit rows; one of an image


def item_paths(opened: ModelTable) -> list[str]:
    """Return the paths of all images and videos of a table, each once, in order."""
    paths: dict[str, None] = {}
    for batch in opened.table.scan(["path"]):
        paths |= dict.fromkeys(path.split(FRAME)[0] for path in batch["path"].to_pylist())
    return sorted(paths)


def read_items(
    opened: ModelTable, *, wanted: Collection[str] | None = None, videos_only: bool = False
) -> list[CollectionItem]:
    """Read items with their vectors, in the order of their paths.

    Args:
        opened: the table.
        wanted: paths of images and videos; all where not given.
        videos_only: leave images out.
    """
    rows: dict[str, list[tuple[float, NDArray[np.float32]]]] = {}
    where = "second IS NOT NULL" if videos_only else ""
    for batch in opened.table.scan(["path", "second", "vector"], where=where):
        vectors = matrix(batch["vector"], opened.dim)
        for path, second, vector in zip(batch["path"].to_pylist(), batch["second"].to_pylist(), vectors, strict=True):
            name = path.split(FRAME)[0]
            if wanted is None or name in wanted:
                rows.setdefault(name, []).append((-1.0 if second is None else second, vector))
    items = []
    for name in sorted(rows):
        frames = sorted(rows[name], key=lambda one: one[0])
        seconds = np.array([second for second, _ in frames if second >= 0], np.float64)
        items.append(CollectionItem(name, seconds, np.stack([vector for _, vector in frames])))
    return items
