"""What the attention heads of one block add to the embeddings of a corpus, streamed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.engine.tasks import HEADS
from workbench.errors import BadInput
from workbench.neurons.activations import Looking, prepared_batches
from workbench.neurons.corpus import CorpusItem
from workbench.neurons.head_passes import check_block, token_head
from workbench.progress import Progress


@dataclass(frozen=True, eq=False)
class HeadSurvey:
    """What each head of a block adds."""

    items: tuple[CorpusItem, ...]  # n, those that could be opened
    block: int
    outputs: NDArray[np.float32]  # (n, heads, dim), in units of unit embeddings


def head_survey(
    model: Looking, items: Sequence[CorpusItem], block: int, *, check: Callable[[], None] = lambda: None
) -> Iterator[Progress | HeadSurvey]:
    """Stream a corpus through the image tower; yields progress, and the survey at the end.

    Args:
        model: a session or a loaded model.
        items: the corpus.
        block: number of the block; -1 for the last.
        check: called while waiting; may raise to stop.

    Raises:
        BadInput: no such block, or no image that could be opened.
        Unsupported: no ViT with a class token.
    """
    head = token_head(model.anatomy)
    number = len(head.blocks) - 1 if block == -1 else block
    check_block(head, number)

    begun, done = time.monotonic(), 0
    shown: list[CorpusItem] = []
    parts: list[NDArray[np.float32]] = []
    for batch in prepared_batches(model, items, check=check):
        if batch.items:
            (rows,) = model.stream(HEADS, (batch.pixels, number))
            shown += batch.items
            parts.append(rows)
        done += len(batch.items) + len(batch.failed)
        yield Progress.timed(done, len(items), "images", seconds=time.monotonic() - begun, computed=done, stage="heads")
    if not parts:
        raise BadInput("No image of the corpus could be opened.")
    yield HeadSurvey(tuple(shown), number, np.concatenate(parts))
