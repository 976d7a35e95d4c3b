"""Do a visitor's jobs step by step: lines of progress, and a run for each job that ends well.

Knows no widget. The device is given back after each pass; pictures that were uploaded leave no embedding behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from apps import limits
from audits.running.jobs import AuditJob
from audits.running.performing import perform
from audits.running.run_context import run_context
from audits.running.vectors import VectorStore
from workbench.engine import Engine
from workbench.errors import Cancelled, WorkbenchError
from workbench.progress import Progress
from workbench.scheduler import CancelToken

WORDS = {"read": "Reading pictures", "embed": "Embedding", "score": "Scoring", "analyse": "Analysing"}


@dataclass(frozen=True)
class Step:
    """What became of the work so far."""

    job: AuditJob
    number: int  # of the job, from 1
    of: int
    progress: Progress | None = None
    run: Path | None = None  # where the job has ended well
    error: str = ""  # where it has not

    @property
    def said(self) -> str:
        """One line: which job, how far, how long yet."""
        where = f"{self.number} of {self.of}: {self.job.audit.key} on {self.job.model}"
        if self.error:
            return f"{where}: {self.error}"
        if self.run is not None or self.progress is None:
            return f"{where}: done"
        done = self.progress
        line = f"{where}: {WORDS.get(done.stage, done.stage)}"
        if done.total:
            line += f" {done.done} of {done.total}"
        if done.rate:
            line += f", {done.rate:.0f} a second"
        if done.seconds_left is not None:
            line += f", about {max(1, round(done.seconds_left))} s left"
        return line


def carry_out(
    engine: Engine, jobs: list[AuditJob], out: Path, *, owner: str, token: CancelToken, own_pictures: bool
) -> Iterator[Step]:
    """Do jobs one after the other; one that fails does not stop the others. Closing the generator stops the work.

    Args:
        engine: models and device.
        jobs: what to do.
        out: where run directories go.
        owner: of the turns on the device.
        token: stops everything between two passes.
        own_pictures: they were uploaded: embeddings are kept beside the runs only, and go with them.

    Raises:
        Cancelled: on request.
    """
    store = VectorStore(out / "vectors") if own_pictures else None
    for number, job in enumerate(jobs, start=1):
        try:
            seconds = limits.current().audit_seconds
            with engine.session(owner, job.model, token=token, deadline=seconds) as session:
                going = perform(job, out, run_context(session, store=store, token=token))
                folder = None
                while folder is None:
                    try:
                        yield Step(job, number, len(jobs), progress=next(going))
                    except StopIteration as end:
                        folder = end.value
            yield Step(job, number, len(jobs), run=folder)
        except Cancelled:
            raise
        except WorkbenchError as error:
            yield Step(job, number, len(jobs), error=str(error))
