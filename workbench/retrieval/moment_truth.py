"""Measure moments with a table of known ones: how often the first segment of a sentence is right, and mAP.

Source:
    Lei et al. 2021, QVHighlights, arXiv:2107.09609 (R1@IoU, mAP over thresholds 0.5 to 0.95).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workbench.datasets.csv_files import NAMES, read_csv
from workbench.errors import BadInput
from workbench.retrieval.captions import VIDEO_COLUMNS, ItemResolver
from workbench.retrieval.chance import Chance
from workbench.retrieval.collection import item_paths, read_items
from workbench.retrieval.evaluation import Span, first_hits, mean_average_precision
from workbench.retrieval.moments import curve, find_moments
from workbench.retrieval.sources import CAPTION_COLUMNS
from workbench.retrieval.stock import stock_vectors
from workbench.retrieval.videos import as_video
from workbench.statistics.intervals import Interval, bootstrap

if TYPE_CHECKING:
    from workbench.engine import Session
    from workbench.retrieval.index import ModelTable

OVERLAPS = (0.3, 0.5, 0.7)
COLUMNS = (("start", "start_time", "begin"), ("end", "end_time", "stop"))


@dataclass(frozen=True)
class MomentQuery:
    """A sentence, and when its video shows it."""

    name: str  # of the video, as the table has it
    sentence: str
    spans: tuple[Span, ...]  # seconds


@dataclass(frozen=True)
class MomentScores:
    """How well sentences find their moments."""

    first: Mapping[float, Interval]  # intersection over union -> share of sentences whose first segment reaches it
    precision: Interval  # mAP over thresholds from 0.5 to 0.95; drawn anew by video
    queries: int
    videos: int
    missing: tuple[str, ...]  # names in the table that the index does not hold


def read_moments(file: Path) -> list[MomentQuery]:
    """Read a CSV with columns of video, sentence, start and end in seconds; rows of one sentence are its moments.

    Raises:
        BadInput: see `read_csv`; a column is missing, a time is no number, an end is not after its start.
    """
    table = read_csv(file)
    columns = [name.strip().lower() for name in table.columns]
    wanted = ((*VIDEO_COLUMNS, *NAMES["path"]), CAPTION_COLUMNS, *COLUMNS)
    places = [next((columns.index(name) for name in names if name in columns), None) for names in wanted]
    if None in places:
        kinds = "; ".join(" or ".join(names[:3]) for names in wanted)
        raise BadInput(f"A table of moments has the columns {kinds}; {table.name!r} has {', '.join(columns)[:200]}.")
    spans: dict[tuple[str, str], list[Span]] = {}
    for line, cells in table.rows:
        name, sentence, *times = (cells[place or 0].strip() for place in places)
        try:
            start, end = map(float, times)
        except ValueError:
            raise BadInput(f"Line {line} of {table.name!r}: start and end are seconds; got {times}.") from None
        if not 0 <= start < end < float("inf"):
            raise BadInput(f"Line {line} of {table.name!r}: the end comes after the start; got {start:g} and {end:g}.")
        spans.setdefault((name, sentence), []).append((start, end))
    if not spans:
        raise BadInput(f"The table {table.name!r} holds no row.")
    return [MomentQuery(name, sentence, tuple(times)) for (name, sentence), times in spans.items()]


def measure_moments(
    session: Session, opened: ModelTable, queries: Sequence[MomentQuery], *, folder: str = ""
) -> MomentScores:
    """Look for each sentence in its own video, and compare with the known moments.

    Args:
        session: the table's model.
        opened: the table, which holds the frames of the videos.
        queries: what is known.
        folder: that relative names start from.

    Raises:
        BadInput: no name is a video of the index.
    """
    resolve = ItemResolver(item_paths(opened), folder)
    owners = [resolve(query.name) for query in queries]
    items = read_items(opened, wanted={path for path in owners if path}, videos_only=True)
    videos = {item.path: as_video(item) for item in items}
    known = [(query, path) for query, path in zip(queries, owners, strict=True) if path in videos]
    if not known:
        raise BadInput(f"None of the {len(queries)} sentences names a video of this index; got {queries[0].name!r}.")
    vectors = session.embed_texts([query.sentence for query, _ in known]).numpy()
    null = Chance(stock_vectors(session))
    segments = [
        find_moments(videos[path], *curve(videos[path], vector, null))
        for (_, path), vector in zip(known, vectors, strict=True)
    ]
    truth = [query.spans for query, _ in known]
    single = [mean_average_precision([one], [spans]) for one, spans in zip(segments, truth, strict=True)]
    return MomentScores(
        {share: first_hits(segments, truth, share) for share in OVERLAPS},
        bootstrap(np.array(single), rng=0, cluster=[path for _, path in known]),
        len(known),
        len({path for _, path in known}),
        tuple(dict.fromkeys(query.name for query, path in zip(queries, owners, strict=True) if path not in videos)),
    )
