"""Run a visitor's audit jobs step by step: lines of progress, and a run for each job that succeeds.

The device is given back after each pass; uploaded images leave no embedding behind. Does not know about widgets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from apps import limits
from audits.running.jobs import AuditJob
from audits.running.performing import perform, run_context
from audits.running.vectors import VectorStore
from workbench.engine import Engine
from workbench.errors import Cancelled, WorkbenchError
from workbench.progress import Progress
from workbench.scheduler import CancelToken

WORDS = {"read": "Reading images", "embed": "Embedding", "score": "Scoring", "analyse": "Analysing"}


@dataclass(frozen=True)
class JobStep:
    """How far the jobs are."""

    job: AuditJob
    number: int  # of the job, from 1
    of: int
    progress: Progress | None = None
    run: Path | None = None  # where the job succeeded
    error: str = ""  # where it failed

    @property
    def line(self) -> str:
        """One line: which job, how far, time left."""
        where = f"{self.number} of {self.of}: {self.job.audit.key} on {self.job.model}"
        if self.error:
            return f"{where}: {self.error}"
        if self.run is not None or self.progress is None:
            return f"{where}: done"
        stage = WORDS.get(self.progress.stage, self.progress.stage)
        return f"{where}: {stage} {self.progress.line}"


def run_jobs(
    engine: Engine, jobs: list[AuditJob], out: Path, *, owner: str, token: CancelToken, own_images: bool
) -> Iterator[JobStep]:
    """Run jobs one after the other; one that fails does not stop the others. Closing the generator stops the work.

    Args:
        engine: models and device.
        jobs: what to do.
        out: where run directories go.
        owner: of the turns on the device.
        token: stops everything between two passes.
        own_images: they were uploaded: embeddings are kept beside the runs only, and go with them.

    Raises:
        Cancelled: on request.
    """
    store = VectorStore(out / "vectors") if own_images else None
    for number, job in enumerate(jobs, start=1):
        try:
            seconds = limits.current().audit_seconds
            with engine.session(owner, job.model, token=token, deadline=seconds) as session:
                going = perform(job, out, run_context(session, store=store, token=token))
                folder = None
                while folder is None:
                    try:
                        yield JobStep(job, number, len(jobs), progress=next(going))
                    except StopIteration as end:
                        folder = end.value
            yield JobStep(job, number, len(jobs), run=folder)
        except Cancelled:
            raise
        except WorkbenchError as error:
            yield JobStep(job, number, len(jobs), error=str(error))
