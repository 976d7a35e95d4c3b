"""The two stages after embedding: samples, and what they say; each is skipped where it is there from equal inputs."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audits.analysis import Analysis
from audits.contracts import OUTCOME, Audit, ModelFacts
from audits.datasets import readers
from audits.datasets.dataset import Dataset
from audits.errors import NothingMeasured
from audits.protocol import read_file
from audits.run_directory import files, header, results, seal
from audits.run_directory.header import Header
from audits.run_directory.header_parts import StageNote
from audits.running import folders
from audits.running.chunks import Origin
from audits.running.codes import audit_code, combined
from audits.running.embedding import Count, Layout, embed, gather, layout_of
from audits.running.jobs import AuditJob
from audits.running.vectors import VectorStore
from audits.stages import analysed, stages
from workbench.errors import BadInput

if TYPE_CHECKING:
    from pandas import DataFrame


_SAMPLES = f"{results.SAMPLES}/{results.PART}"


def embed_hash(layout: Layout) -> str:
    """Return the hash of what the embed stage hands over."""
    items = [f"{item.sample_id}\x1f{item.variant}\x1f{item.recipe}" for item in layout.items]
    return combined(*layout.keys, *items)


def score(
    folder: Path,
    head: Header,
    *,
    job: AuditJob,
    dataset: Dataset,
    embedded: tuple[ModelFacts, Layout, dict[str, NDArray[np.float32]]],
) -> Header:
    """Ask the audit for its samples, unless they are there from equal inputs; return the header that names them."""
    facts, layout, rows = embedded
    module = stages(job.audit)
    began = time.monotonic()
    digest = combined(
        embed_hash(layout), audit_code(job.audit, module), head.hashes.protocol, head.hashes.dataset, str(job.seed)
    )
    place = folder / results.SAMPLES / results.PART
    before = head.stages.get("score")
    if before is None or before.hash != digest or not place.is_file():
        samples = module.score(gather(facts, dataset, layout, rows=rows), job.rules, seed=job.seed)
        _check_samples(job, samples)
        head = head.changed(status="incomplete")  # until the seal is new, a finished run is none
        header.write(folder, head)
        results.write_samples(folder, samples)
        head = head.changed(stages={**head.stages, "score": note(digest, began)})
        header.write(folder, head)
    return head


def score_again(folder: Path, head: Header, job: AuditJob) -> Header:
    """Work out the samples of a run again, without its model; return its header.

    Raises:
        BadInput: the data set has changed, or embeddings are not kept any more.
    """
    facts = ModelFacts(**head.model)
    dataset = readers.read(job.dataset, limit=job.limit)
    if dataset.hash != head.hashes.dataset:
        raise BadInput(f"The data set {job.dataset[:200]!r} has changed since the run {folder.name!r}.")
    layout = layout_of(job, dataset, Origin.of(facts))
    embedding = embed(stages(job.audit), None, dataset, layout=layout, store=VectorStore())
    while True:
        try:
            next(embedding)
        except StopIteration as end:
            rows = end.value[0]
            break
    embed_note = {name: note for name, note in head.stages.items() if name == "embed"}
    return score(folder, head.changed(stages=embed_note), job=job, dataset=dataset, embedded=(facts, layout, rows))


def analyse(folder: Path, head: Header, *, job: AuditJob) -> Header:
    """Ask the audit for measures, findings and figures from the samples alone; finish the run."""
    module = stages(job.audit)
    began = time.monotonic()
    place = folder / results.SAMPLES / results.PART
    if not place.is_file():
        raise BadInput(f"The run {folder.name!r} has no samples yet; `resume` makes them.")
    digest, analysis = analysis_hash(folder, head, audit=job.audit), analysis_of(folder, head, audit=job.audit)
    if not analysis.measures:
        raise NothingMeasured(f"The audit {job.audit.key!r} measured nothing in {job.dataset[:200]!r}.")
    header.write(folder, head.changed(status="incomplete"))
    texts = {"how_to_read": module.HOW_TO_READ, "limits": module.LIMITS}
    results.write_analysis(folder, analysis, header=head, texts=texts)
    stage = {**head.stages, "analyse": note(digest, began)}
    warned = tuple(dict.fromkeys((*head.warnings, *analysis.sanity)))
    head = head.changed(status="success", finished=now(), stages=stage, error="", warnings=warned)
    seal.finish(folder, head)
    folders.log(folder, "finished", run_id=head.run_id)
    return head


def analysis_of(folder: Path, head: Header, *, audit: Audit) -> Analysis:
    """Return what an audit says about a run's samples."""
    samples, rules = results.read_parquet(folder / _SAMPLES), read_file(folder / results.PROTOCOL, audit.key)
    return analysed(stages(audit), samples, rules, model=ModelFacts(**head.model), seed=head.spec.seed)


def analysis_hash(folder: Path, head: Header, *, audit: Audit) -> str:
    """Return the hash of what the analysis of a run's samples is made from."""
    samples = files.sha256_of(folder / _SAMPLES)
    return combined(samples, audit_code(audit, stages(audit)), head.hashes.protocol, str(head.spec.seed))


def now() -> str:
    """Return the moment, UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _check_samples(job: AuditJob, samples: DataFrame) -> None:
    lacking = [name for name in ("sample_id", "variant", "label_set") if name not in samples.columns]
    if lacking or not len(samples):
        raise NothingMeasured(f"The audit {job.audit.key!r} gave no samples with {', '.join(lacking) or 'rows'}.")
    for name in samples.columns:
        if str(name).startswith(OUTCOME):
            values = samples[name].dropna().astype(float)
            if len(values) and not values.between(0.0, 1.0).all():
                raise ValueError(f"{job.audit.key}: {name} leaves 0..1")


def note(digest: str, began: float, count: Count | None = None) -> StageNote:
    """Return the note of a stage that is done."""
    seconds = round(time.monotonic() - began, 3)
    return StageNote(hash=digest, finished=now(), seconds=seconds, **(asdict(count) if count else {}))
