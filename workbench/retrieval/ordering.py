"""Orders in which results are listed: by score, name, date, size, label, or time in the video."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.errors import unknown_name
from workbench.retrieval.search import Hit

SORTS: dict[str, tuple[str, Callable[[Hit], Any]]] = {  # key -> title, what is compared
    "score": ("Best first", lambda hit: 0),  # as the search returned them
    "name": ("Name", lambda hit: (hit.path.rsplit("/", 1)[-1].lower(), hit.path)),  # uploads lie in folders of any name
    "newest": ("Newest first", lambda hit: -hit.row["modified"]),
    "oldest": ("Oldest first", lambda hit: hit.row["modified"]),
    "largest": ("Most pixels first", lambda hit: -hit.row["width"] * hit.row["height"]),
    "label": ("Label", lambda hit: (hit.row["label"] == "", hit.row["label"].lower())),
    "time": ("Time in the video", lambda hit: (hit.path.split("#t=")[0], hit.row["second"] or 0.0)),
}


def ordered(hits: Sequence[Hit], sort: str = "score") -> list[Hit]:
    """Return results in another order; equal ones stay as they are.

    Args:
        hits: the best first.
        sort: one of `SORTS`; "score" keeps the order of the search, which a correction of hubs may have changed.

    Raises:
        UnknownName: another order.
    """
    if sort not in SORTS:
        raise unknown_name("order", sort, SORTS)
    return sorted(hits, key=SORTS[sort][1])
