"""Evaluate an index with captions: how well sentences find their images or videos, and images their sentences.

Source:
    Luo et al. 2021, CLIP4Clip, arXiv:2104.08860 (R@k, MdR, MnR both ways); ties count as rank = 1 + number better.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.datasets.csv_files import NAMES, read_csv
from workbench.errors import BadInput
from workbench.progress import Progress
from workbench.retrieval.collection import item_paths, read_items
from workbench.retrieval.evaluation import RetrievalScores, ranks, summarise
from workbench.retrieval.hubs import bank_normalised, hubness
from workbench.retrieval.pooling import pooled_scores
from workbench.retrieval.sequence import SequenceHead, sequence_vectors
from workbench.retrieval.sources import CAPTION_COLUMNS
from workbench.retrieval.stock import stock_vectors
from workbench.statistics.paired import Paired, compare

if TYPE_CHECKING:
    from workbench.engine import Session
    from workbench.retrieval.index import ModelTable

VIDEO_COLUMNS = ("video_id", "video", "video_path")  # MSR-VTT's own name first
MOST_CELLS = 200_000_000  # of the matrix of sentences and items
BATCH = 256  # sentences of one pass


@dataclass(frozen=True)
class CaptionPair:
    """A sentence and the image or video that it describes, as a table names it."""

    name: str
    sentence: str


@dataclass(frozen=True)
class CaptionEvaluation:
    """How well sentences and items find each other."""

    to_items: RetrievalScores  # a sentence looks for its image or video
    to_sentences: RetrievalScores  # an image or video looks for one of its sentences
    corrected: RetrievalScores  # as `to_items`, after the correction of hubs
    gain: Paired  # of R@1 by the correction, over the same sentences; those of one item are one unit
    hubness: tuple[float, float]  # of the sentences' answers, before and after the correction
    sentences: int
    items: int
    missing: tuple[str, ...]  # names in the table that the index does not hold
    pooling: str


def read_captions(file: Path) -> list[CaptionPair]:
    """Read a CSV with a column of images or videos and a column of sentences; MSR-VTT's `video_id,sentence` too.

    Raises:
        BadInput: see `read_csv`; a column is missing, or there is no row.
    """
    table = read_csv(file)
    columns = [name.strip().lower() for name in table.columns]
    names = (*VIDEO_COLUMNS, *NAMES["path"])
    item = next((columns.index(name) for name in names if name in columns), None)
    text = next((columns.index(name) for name in CAPTION_COLUMNS if name in columns), None)
    if item is None or text is None:
        raise BadInput(
            f"A table of captions has one column of {', '.join(names)}, and one of {', '.join(CAPTION_COLUMNS)}; "
            f"{table.name!r} has {', '.join(table.columns)[:200]}."
        )
    pairs = [CaptionPair(cells[item].strip(), cells[text].strip()) for _, cells in table.rows]
    pairs = [pair for pair in pairs if pair.name and pair.sentence]
    if not pairs:
        raise BadInput(f"The table {table.name!r} holds no row with an image and a sentence.")
    return pairs


def evaluate_captions(
    session: Session,
    opened: ModelTable,
    pairs: Sequence[CaptionPair],
    *,
    folder: str = "",
    pooling: str = "mean",
    head: SequenceHead | None = None,
) -> Generator[Progress, None, CaptionEvaluation]:
    """Rank the items that captions name, and yield progress; the evaluation is the generator's value.

    Args:
        session: the table's model.
        opened: the table.
        pairs: sentences with their images or videos.
        folder: that relative names start from.
        pooling: how frames make one score; one of `pooling.POOLINGS`.
        head: makes one vector of a video's frames, in place of the pooling; the files are decoded again.

    Raises:
        BadInput: no name is in the index, or more sentences and items than fit into memory.
        UnknownName: another pooling.
    """
    resolve = ItemResolver(item_paths(opened), folder)
    owners = [resolve(pair.name) for pair in pairs]
    wanted = {path for path in owners if path}
    if not wanted:
        raise BadInput(
            f"None of the {len(pairs)} rows names an image or video of this index, such as {pairs[0].name!r}."
        )
    if len(pairs) * len(wanted) > MOST_CELLS:
        raise BadInput(f"At most {MOST_CELLS:,} pairs of a sentence and an item; got {len(pairs)} x {len(wanted)}.")
    items = read_items(opened, wanted=wanted)
    place = {item.path: at for at, item in enumerate(items)}
    named = [(pair.sentence, place[path]) for pair, path in zip(pairs, owners, strict=True) if path]
    rows = []
    for start in range(0, len(named), BATCH):
        yield Progress(start, len(named), "sentences", "embed")
        rows.append(session.embed_texts([text for text, _ in named[start : start + BATCH]]).numpy())
    videos, how = [item.vectors for item in items], pooling
    if head is not None:
        videos, how, pooling = [], "mean", "seqTransf"
        for step in sequence_vectors(session, items, head):
            if isinstance(step, Progress):
                yield step
            else:
                videos.append(step)
    scores = pooled_scores(videos, np.concatenate(rows), how)
    bank = pooled_scores(videos, stock_vectors(session), how)
    missing = tuple(dict.fromkeys(pair.name for pair, path in zip(pairs, owners, strict=True) if not path))
    return _measured(scores, bank, [at for _, at in named], missing=missing, pooling=pooling)


def _measured(
    scores: Any, bank: Any, owner: Sequence[int], *, missing: tuple[str, ...], pooling: str
) -> CaptionEvaluation:
    own: list[list[int]] = [[] for _ in range(scores.shape[1])]
    for sentence, item in enumerate(owner):
        own[item].append(sentence)
    better = bank_normalised(scores, bank)
    truth = [[item] for item in owner]
    before, after = ranks(scores, truth), ranks(better, truth)
    return CaptionEvaluation(
        summarise(before),
        summarise(ranks(scores.T, own)),
        summarise(after),
        compare((before == 1).astype(int), (after == 1).astype(int), cluster=list(owner)),
        (hubness(scores), hubness(better)),
        sentences=len(owner),
        items=scores.shape[1],
        missing=missing,
        pooling=pooling,
    )


class ItemResolver:
    """From a name in a table to the path of an item: as it stands, below a folder, or by file name or stem."""

    def __init__(self, paths: Sequence[str], folder: str) -> None:
        self._paths, self._folder = set(paths), folder
        self._short: dict[str, str] = {}
        for path in paths:
            name = os.path.basename(path)
            for short in {name, os.path.splitext(name)[0]}:
                self._short[short] = "" if short in self._short else path  # "" where two items share it

    def __call__(self, name: str) -> str:
        """Return the item's path; empty where none, or more than one, has that name."""
        for path in (name, os.path.abspath(os.path.join(self._folder, name))):
            if path in self._paths:
                return path
        return self._short.get(os.path.basename(name), "")
