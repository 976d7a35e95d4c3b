"""Score a run again without its model: the plan is made anew, and the vectors are those that are kept."""

from __future__ import annotations

from pathlib import Path

from audits.contracts import ModelFacts
from audits.datasets import readers
from audits.run_directory.header import Header
from audits.running import scoring
from audits.running.chunks import Origin
from audits.running.embedding import embed
from audits.running.fitting import layout_of
from audits.running.jobs import AuditJob
from audits.running.vectors import VectorStore
from audits.stages import stages
from workbench.errors import BadInput


def score_again(folder: Path, head: Header, job: AuditJob, *, store: VectorStore | None = None) -> Header:
    """Work out the samples of a run again; return its header.

    Raises:
        BadInput: the data set has changed, or embeddings are not kept any more.
    """
    facts = ModelFacts(**head.model)
    dataset = readers.read(job.dataset, limit=job.limit)
    if dataset.hash != head.hashes.dataset:
        raise BadInput(f"The data set {job.dataset[:200]!r} has changed since the run {folder.name!r}.")
    layout = layout_of(job, dataset, Origin.of(facts))
    going = embed(stages(job.audit), None, dataset, layout=layout, store=store or VectorStore())
    while True:
        try:
            next(going)
        except StopIteration as end:
            rows = end.value[0]
            break
    left = {name: note for name, note in head.stages.items() if name == "embed"}
    return scoring.score(folder, head.changed(stages=left), job=job, dataset=dataset, found=(facts, layout, rows))
