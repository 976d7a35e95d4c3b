"""The embed stage: what is kept is read, what is missing is computed chunk by chunk, and progress is told after each.

A generator, so that whoever drives it may stop between two chunks and lose at most one. Takes a loaded model or a
session of the engine, which gives the device back after each pass. Knows no file format and no run directory.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audits.contracts import Audit, Embedded, Item, ModelFacts, Stages
from audits.running.chunks import Chunk, Origin, TextChunk, picture_chunks, text_chunks
from audits.running.codes import change_code
from audits.running.passes import encode, encode_texts, open_square
from workbench.errors import BadInput
from workbench.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from audits.datasets.dataset import Dataset
    from audits.protocol import Protocol as Rules
    from audits.running.vectors import VectorStore
    from workbench.scheduler import CancelToken

HANDS = max(1, min(8, os.cpu_count() or 1))  # threads that open pictures


@dataclass(frozen=True)
class Layout:
    """What the embed stage needs, divided into chunks."""

    items: tuple[Item, ...]
    prompts: tuple[str, ...]
    pictures: tuple[Chunk, ...]
    texts: tuple[TextChunk, ...]

    @property
    def keys(self) -> list[str]:
        """Names of all chunks, in order."""
        return [*(part.key for part in self.texts), *(part.key for part in self.pictures)]

    @property
    def size(self) -> int:
        """Pictures in all chunks."""
        return sum(len(chunk.items) for chunk in self.pictures)


@dataclass(frozen=True)
class Count:
    """What came from where."""

    kept: int = 0  # pictures whose vectors were there
    computed: int = 0
    texts_kept: int = 0
    texts_computed: int = 0


def lay_out(audit: Audit, module: Stages, dataset: Dataset, *, rules: Rules, seed: int, origin: Origin) -> Layout:
    """Ask an audit what it needs, and divide it.

    Raises:
        BadInput: the audit plans a picture that the data set does not hold.
    """
    items = tuple(module.plan(dataset, rules, seed=seed))
    prompts = tuple(dict.fromkeys(module.texts(dataset, rules)))
    known = set(dataset.table["sample_id"])
    if strangers := [item.sample_id for item in items if item.sample_id not in known]:
        raise BadInput(f"The audit {audit.key!r} plans a picture that the data set lacks: {strangers[0][:80]!r}.")
    change = change_code(audit, module, prompts)
    pictures = picture_chunks(origin, dataset, items, change=change)
    return Layout(items, prompts, tuple(pictures), tuple(text_chunks(origin, prompts)))


def embed(
    module: Stages,
    model: Any,
    dataset: Dataset,
    *,
    layout: Layout,
    store: VectorStore,
    token: CancelToken | None = None,
) -> Generator[Progress, None, tuple[dict[str, NDArray[np.float32]], Count]]:
    """Return every chunk's rows by its name, and how many were kept.

    Args:
        module: the audit's.
        model: a loaded model or a session; None where nothing may be computed.
        dataset: where the pictures are.
        layout: what is needed.
        store: where chunks are kept.
        token: stops when cancelled; the chunk at hand is lost.

    Raises:
        BadInput: something is missing and there is no model.
        Cancelled: on request; whole chunks are kept.
    """
    rows: dict[str, NDArray[np.float32]] = {}
    texts_kept = 0
    for part in layout.texts:
        found = store.get(part.key)
        texts_kept += len(part.texts) if found is not None else 0
        if found is None:
            found = encode_texts(_needed(model), part.texts)
            store.put(part.key, found)
        rows[part.key] = found
        _check(token)
    texts = dict(zip(_texts(layout), (row for part in layout.texts for row in rows[part.key]), strict=True))
    kept = yield from _pictures(_Encoder(module, model, dataset, texts), layout, store=store, token=token, rows=rows)
    computed = layout.size - kept
    return rows, Count(kept, computed, texts_kept, len(layout.prompts) - texts_kept)


def gather(facts: ModelFacts, dataset: Dataset, layout: Layout, *, rows: dict[str, NDArray[np.float32]]) -> Embedded:
    """Put chunks together in the order of the plan."""
    import numpy as np

    where: dict[tuple[str, str, str], tuple[str, int]] = {}
    for chunk in layout.pictures:
        for at, item in enumerate(chunk.items):
            where[_name(item)] = (chunk.key, at)
    images = np.zeros((len(layout.items), facts.dim), np.float32)
    for at, item in enumerate(layout.items):
        key, row = where[_name(item)]
        images[at] = rows[key][row]
    texts = dict(zip(_texts(layout), (row for part in layout.texts for row in rows[part.key]), strict=True))
    return Embedded(facts, dataset, layout.items, images, {text: texts[text] for text in layout.prompts})


@dataclass(frozen=True)
class _Encoder:
    """What is needed to compute one chunk."""

    module: Stages
    model: Any
    dataset: Dataset
    texts: dict[str, NDArray[np.float32]]

    def prepare(self, pool: ThreadPoolExecutor, chunk: Chunk) -> list[Future[Tensor]]:
        return [
            pool.submit(open_square, self.module, self.model, self.dataset, item=item, path=path)
            for item, path in zip(chunk.items, chunk.paths, strict=True)
        ]

    def encode(self, chunk: Chunk, squares: Sequence[Future[Tensor]], token: CancelToken | None) -> NDArray[np.float32]:
        import torch

        opened = []
        for square in squares:  # opening takes longer than a pass; who stops it waits for one picture
            _check(token)
            opened.append(square.result())
        pixels = torch.stack(opened)
        return encode(self.model, self.module, pixels, chunk=chunk, texts=self.texts)


def _pictures(
    encoder: _Encoder,
    layout: Layout,
    *,
    store: VectorStore,
    token: CancelToken | None,
    rows: dict[str, NDArray[np.float32]],
) -> Generator[Progress, None, int]:
    """Fill `rows` with the pictures' chunks; return how many pictures were kept."""
    missing = [chunk for chunk in layout.pictures if not store.has(chunk.key)]
    ahead: dict[str, list[Future[Tensor]]] = {}
    done = kept = 0
    began = time.monotonic()
    pool = ThreadPoolExecutor(HANDS, thread_name_prefix="open")
    try:
        for chunk in layout.pictures:
            found = store.get(chunk.key)
            if found is not None:
                kept += len(chunk.items)
            else:
                _needed(encoder.model)
                squares = ahead.pop(chunk.key, None) or encoder.prepare(pool, chunk)
                missing = [one for one in missing if one.key != chunk.key]
                if missing and missing[0].key not in ahead:
                    ahead[missing[0].key] = encoder.prepare(pool, missing[0])
                found = encoder.encode(chunk, squares, token)
                store.put(chunk.key, found)
            rows[chunk.key] = found
            done += len(chunk.items)
            seconds = time.monotonic() - began
            yield Progress.timed(done, layout.size, "images", seconds=seconds, computed=done - kept, stage="embed")
            _check(token)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return kept


def _needed(model: Any) -> Any:
    if model is None:
        raise BadInput("Not all embeddings of this run are kept any more; run it again with the model (`resume`).")
    return model


def _check(token: CancelToken | None) -> None:
    if token is not None and token.cancelled:
        from workbench.errors import Cancelled

        raise Cancelled("Stopped on request; what is done is kept, and `resume` continues.")


def _texts(layout: Layout) -> list[str]:
    return [text for part in layout.texts for text in part.texts]


def _name(item: Item) -> tuple[str, str, str]:
    return item.sample_id, item.variant if item.recipe else "", item.recipe
