"""Does a data set fit an audit and a protocol? What does not fit is refused before a run directory is made."""

from __future__ import annotations

from contextlib import suppress

from audits import protocol
from audits.contracts import Audit
from audits.datasets.dataset import Dataset
from audits.errors import NothingMeasured
from audits.running.chunks import Origin
from audits.running.embedding import Layout, lay_out
from audits.running.jobs import AuditJob
from audits.stages import stages
from workbench.errors import BadInput, WorkbenchError


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
            if stages(audit).plan(dataset, protocol.read(audit.key, name), seed=0):
                fitting.append(name)
    return fitting
