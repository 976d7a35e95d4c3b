"""One job from beginning to end: read, embed, score, analyse, and a run directory that can be continued at any time.

A generator of progress. What is done is found again by the hash of what it was made from; nothing is done twice.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Generator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from audits.contracts import ModelFacts
from audits.datasets import readers
from audits.datasets.dataset import Dataset
from audits.datasets.rows import duplicates
from audits.errors import NothingMeasured
from audits.run_directory import header, results
from audits.run_directory.header import Header
from audits.run_directory.header_parts import DatasetNote, Hashes, Spec, run_id
from audits.running import folders, provenance
from audits.running.chunks import Origin
from audits.running.embedding import Layout, embed, layout_of
from audits.running.jobs import AuditJob
from audits.running.scoring import analyse, embed_hash, note, now, score
from audits.running.speeds import remember
from audits.running.vectors import VectorStore
from audits.stages import stages
from workbench.errors import Cancelled
from workbench.places import write_whole
from workbench.progress import Progress
from workbench.scheduler import CancelToken


@dataclass(frozen=True)
class RunContext:
    """What jobs are done with: a model that was looked at once, and the place where vectors are kept."""

    model: Any  # a loaded model or a session
    facts: ModelFacts
    known: dict[str, Any]  # of the model, for its provenance
    store: VectorStore
    token: CancelToken | None = None
    again: bool = False


def run_context(
    model: Any, *, store: VectorStore | None = None, token: CancelToken | None = None, again: bool = False
) -> RunContext:
    """Look at a model once, for all jobs that are done with it."""
    facts, known = provenance.look_at(model)
    return RunContext(model, facts, known, store or VectorStore(), token, again)


def perform(job: AuditJob, out: Path, context: RunContext) -> Generator[Progress, None, Path]:
    """Do a job; return its run directory.

    Raises:
        BadInput: the data set lacks what the audit needs.
        NothingMeasured: no image can be used.
        Cancelled, KeyboardInterrupt: stopped; the run directory says so and can be continued.
    """
    dataset = yield from _read(job, context.token)
    first = _header(job, dataset, context)
    folder = folders.find(out, first.run_id)
    if folder is not None and not context.again and header.read(folder).status == "success":
        return folder
    layout = layout_of(job, dataset, Origin.of(context.facts))
    if folder is None or context.again:
        folder = folders.make(out, job, first.run_id)
    first = folders.resumed(folder, first)
    header.write(folder, first.changed(status="incomplete"))
    write_whole(folder / results.PROTOCOL, folders.yaml_of(job.rules).encode())
    folders.log(folder, "begun", run_id=first.run_id)
    try:
        yield from _stages(job, folder, first, context=context, dataset=dataset, layout=layout)
    except BaseException as error:
        folders.fail(folder, error, traceback.format_exc())
        raise
    context.store.trim()
    return folder


def _read(job: AuditJob, token: CancelToken | None) -> Generator[Progress, None, Dataset]:
    def check(*_: int) -> None:
        if token is not None and token.cancelled:
            raise Cancelled("Stopped on request.")

    yield Progress(0, 0, "images", "read")
    dataset = readers.read(job.dataset, limit=job.limit, download=job.download, watch=check)
    if not len(dataset.table):
        why = f" {len(dataset.excluded)} cannot be used, such as {dataset.excluded[0]}." if dataset.excluded else ""
        raise NothingMeasured(f"The data set {job.dataset[:200]!r} holds no usable image.{why}")
    return dataset


def job_id(job: AuditJob, fingerprint: str, *, device: str, dataset_hash: str) -> tuple[str, Hashes]:
    """Return the id of the run that a job makes, and the hashes behind it."""
    hashes = Hashes(protocol=job.rules.hash, model=fingerprint, dataset=dataset_hash)
    audit, version = job.audit.key, job.audit.version
    return run_id(audit, version, hashes, device=device, seed=job.seed, limit=job.limit), hashes


def _header(job: AuditJob, dataset: Dataset, context: RunContext) -> Header:
    facts = context.facts
    name, hashes = job_id(job, facts.fingerprint, device=facts.device, dataset_hash=dataset.hash)
    spec = Spec(
        audit=job.audit.key,
        audit_version=job.audit.version,
        title=job.audit.title,
        question=job.audit.question,
        model=job.model,
        dataset=job.dataset,
        protocol=job.rules.name,
        settings=dict(job.settings),
        seed=job.seed,
        limit=job.limit,
        device=context.facts.device,
        dtype=context.facts.dtype,
        engine=job.engine,
    )
    about = asdict(dataset.about)
    note = DatasetNote(
        key=dataset.key, n=len(dataset.table), attributes=dataset.attributes, excluded=dataset.excluded, **about
    )
    return Header(
        schema=1,
        run_id=name,
        status="incomplete",
        partial=job.limit is not None,
        created=now(),
        spec=spec,
        hashes=hashes,
        dataset=note,
        model=asdict(context.facts),
        provenance=provenance.collect(context.known, seed=job.seed),
        warnings=tuple(_warnings(job, dataset)),
    )


def _warnings(job: AuditJob, dataset: Dataset) -> list[str]:
    lines = []
    if dataset.excluded:
        lines.append(f"{len(dataset.excluded)} images were excluded, such as {': '.join(dataset.excluded[0])}")
    if twice := duplicates(dataset):
        lines.append(f"{len(twice)} groups of images have the same bytes, such as {twice[0]}.")
    if job.limit is not None:
        lines.append(f"Only part of the data set: {len(dataset.table)} images, limit {job.limit}.")
    if job.dtype not in ("float32", "auto"):
        lines.append(f"Computed in {job.dtype}: numbers differ from those in float32 in the third digit or earlier.")
    return lines


def _stages(
    job: AuditJob, folder: Path, first: Header, *, context: RunContext, dataset: Dataset, layout: Layout
) -> Generator[Progress, None, None]:
    began = time.monotonic()
    missing = sum(len(chunk.items) for chunk in layout.pictures if not context.store.has(chunk.key))
    if job.engine == "ray":
        from audits.running import ray_engine

        yield from ray_engine.fill(job, dataset, layout, store=context.store, token=context.token)
    rows, count = yield from embed(
        stages(job.audit), context.model, dataset, layout=layout, store=context.store, token=context.token
    )
    if job.engine == "ray":  # what Ray has computed was not there before
        count = replace(count, kept=layout.size - missing, computed=missing)
    elif not hasattr(stages(job.audit), "attack"):
        remember(str(Origin.of(context.facts)), images=count.computed, seconds=time.monotonic() - began)
    embedded_hash = embed_hash(layout)
    head = first.changed(stages={**first.stages, "embed": note(embedded_hash, began, count)})
    header.write(folder, head)
    yield Progress(0, 0, "images", "score")
    head = score(folder, head, job=job, dataset=dataset, embedded=(context.facts, layout, rows))
    yield Progress(0, 0, "images", "analyse")
    analyse(folder, head, job=job)
