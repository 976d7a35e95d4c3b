"""The embed stage: what fits an audit is divided into chunks; those in the store are read, missing ones computed.

A generator: whoever drives it may stop between two chunks and loses at most one.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audits import catalogue
from audits.contracts import Audit, Embedded, Item, ModelFacts, Stages
from audits.datasets.dataset import Dataset
from audits.errors import NothingMeasured
from audits.passes import embed_groups, encode_texts
from audits.protocol import Protocol as Rules
from audits.running.chunks import Chunk, Origin, TextChunk, image_chunks, text_chunks
from audits.running.codes import change_code
from audits.running.jobs import AuditJob
from audits.stages import stages
from workbench.cache import EmbeddingStore
from workbench.errors import BadInput, Cancelled, WorkbenchError
from workbench.progress import Progress
from workbench.scheduler import CancelToken


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
        """Images in all chunks."""
        return sum(len(chunk.items) for chunk in self.pictures)


@dataclass(frozen=True)
class Count:
    """How many embeddings came from the store, and how many were computed."""

    kept: int = 0  # images whose embeddings were in the store
    computed: int = 0
    texts_kept: int = 0
    texts_computed: int = 0


def lay_out(audit: Audit, module: Stages, dataset: Dataset, *, rules: Rules, seed: int, origin: Origin) -> Layout:
    """Plan an audit, and divide what it needs into chunks.

    Raises:
        BadInput: the audit plans an image that is not in the data set.
    """
    items = tuple(module.plan(dataset, rules, seed=seed))
    prompts = tuple(dict.fromkeys(module.texts(dataset, rules)))
    known = set(dataset.table["sample_id"])
    if unknown := [item.sample_id for item in items if item.sample_id not in known]:
        raise BadInput(f"The audit {audit.key!r} plans an image that is not in the data set: {unknown[0][:80]!r}.")
    chunks = image_chunks(origin, dataset, items, change=change_code(audit, module, prompts))
    return Layout(items, prompts, tuple(chunks), tuple(text_chunks(origin, prompts)))


def layout_of(job: AuditJob, dataset: Dataset, origin: Origin) -> Layout:
    """Return what a job embeds.

    Raises:
        BadInput: the data set does not fit the audit or the protocol; protocols that fit are named.
        NothingMeasured: there is nothing to embed.
    """
    try:
        dataset.require(job.audit.needs, job.audit.key)
        layout = lay_out(job.audit, stages(job.audit), dataset, rules=job.rules, seed=job.seed, origin=origin)
    except BadInput as error:
        fitting = [name for name in fitting_protocols(job.audit, dataset) if name != job.rules.name]
        if not fitting:
            raise
        names = " and ".join(fitting)
        verb = "fits" if len(fitting) == 1 else "fit"
        raise BadInput(f"{error} The protocol {names} {verb} this data: --protocol {fitting[0]}.") from None
    if not layout.items:
        raise NothingMeasured(f"The audit {job.audit.key!r} has nothing to measure in {job.dataset[:200]!r}.")
    return layout


def fitting_protocols(audit: Audit, dataset: Dataset) -> list[str]:
    """Return the protocols of an audit that find in a data set what they need, and something to measure."""
    fitting = []
    for name in audit.protocols:
        with suppress(WorkbenchError):
            dataset.require(audit.needs, audit.key)
            if stages(audit).plan(dataset, catalogue.read_protocol(audit, name), seed=0):
                fitting.append(name)
    return fitting


def embed(
    module: Stages,
    model: Any,
    dataset: Dataset,
    *,
    layout: Layout,
    store: EmbeddingStore[str],
    token: CancelToken | None = None,
) -> Generator[Progress, None, tuple[dict[str, NDArray[np.float32]], Count]]:
    """Return every chunk's rows by its name, and how many came from the store.

    `model` is a session or a loaded model, or None where nothing may be computed. A cancelled `token` loses the current
    chunk.

    Raises:
        BadInput: something is missing and there is no model.
        Cancelled: on request; whole chunks are stored.
    """

    def check() -> None:
        if token is not None and token.cancelled:
            raise Cancelled("Stopped on request; finished work is kept, and `resume` continues.")

    rows: dict[str, NDArray[np.float32]] = {}
    texts_kept = 0
    for part in layout.texts:
        rows |= store.get_many([part.key])
        if part.key in rows:
            texts_kept += len(part.texts)
        else:
            rows[part.key] = encode_texts(_needed(model), part.texts)
            store.put_many({part.key: rows[part.key]})
        check()
    began = time.monotonic()
    for chunk in layout.pictures:
        rows |= store.get_many([chunk.key])
        check()
    missing = {chunk.key: chunk for chunk in layout.pictures if chunk.key not in rows}
    done = kept = sum(len(chunk.items) for chunk in layout.pictures if chunk.key in rows)
    yield Progress.timed(done, layout.size, "images", seconds=0.0, computed=0, stage="embed")
    if missing:
        groups = [chunk.items for chunk in missing.values()]
        texts = _by_text(layout, rows)
        computed = embed_groups(_needed(model), module, dataset, groups=groups, texts=texts, check=check)
        for chunk, vectors in zip(missing.values(), computed, strict=True):
            rows[chunk.key] = vectors
            store.put_many({chunk.key: vectors})
            done += len(chunk.items)
            seconds = time.monotonic() - began
            yield Progress.timed(done, layout.size, "images", seconds=seconds, computed=done - kept, stage="embed")
            check()
    return rows, Count(kept, layout.size - kept, texts_kept, len(layout.prompts) - texts_kept)


def gather(facts: ModelFacts, dataset: Dataset, layout: Layout, *, rows: dict[str, NDArray[np.float32]]) -> Embedded:
    """Put the rows of all chunks into the order of the plan."""
    places: dict[tuple[str, str, str], tuple[str, int]] = {}
    for chunk in layout.pictures:
        for at, item in enumerate(chunk.items):
            places[_form(item)] = (chunk.key, at)
    images = np.zeros((len(layout.items), facts.dim), np.float32)
    for at, item in enumerate(layout.items):
        key, row = places[_form(item)]
        images[at] = rows[key][row]
    texts = _by_text(layout, rows)
    return Embedded(facts, dataset, layout.items, images, {text: texts[text] for text in layout.prompts})


def _needed(model: Any) -> Any:
    if model is None:
        raise BadInput("Some embeddings of this run are no longer stored; run it again with the model (`resume`).")
    return model


def _by_text(layout: Layout, rows: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    return {text: row for part in layout.texts for text, row in zip(part.texts, rows[part.key], strict=True)}


def _form(item: Item) -> tuple[str, str, str]:
    return item.sample_id, item.variant if item.recipe else "", item.recipe
