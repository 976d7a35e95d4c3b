"""What jobs would cost: images, what is kept of them already, time and disk; no model is loaded and no run begun.

Built-in data that was never used before is drawn, because it must be counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audits.datasets import readers
from audits.run_directory import header
from audits.running import folders
from audits.running.chunks import Origin
from audits.running.embedding import layout_of
from audits.running.jobs import AuditJob
from audits.running.performing import job_id
from audits.running.speeds import images_per_second
from audits.running.vectors import VectorStore
from audits.stages import stages
from workbench.errors import WorkbenchError
from workbench.models import find as find_model
from workbench.statistics.power import minimum_detectable_difference

FILES = 500_000  # bytes of a run's tables and figures, roughly
WIDTH = 512  # of the joint space, where a model's row does not know it


@dataclass(frozen=True)
class Cost:
    """What one job would take."""

    audit: str
    model: str
    dataset: str
    protocol: str
    pictures: int = 0  # in all forms
    kept: int = 0  # of these, vectors that are there
    texts: int = 0
    seconds: float | None = None  # to embed the rest; None where it is not known: attacks, or a model's first time here
    disk: int = 0  # bytes that the rest will take
    done: bool = False  # a finished run is there
    trouble: str = ""  # why the job cannot run
    detectable: float | None = None  # smallest difference of two shares near a half that 80 of 100 runs would find


def costs(jobs: Sequence[AuditJob], out: Path) -> list[Cost]:
    """Return what each job would cost, without loading a model; one that cannot run says why."""
    from workbench.loading import fingerprint
    from workbench.loading.device import choose_device, numbers

    store, estimates, counted = VectorStore(), [], set[str]()
    origins: dict[tuple[str, str, str], Origin] = {}
    for job in jobs:
        key = (job.model, job.device, job.dtype)
        try:
            if key not in origins:
                where = choose_device(job.device)
                number = numbers(job.device, job.dtype).removeprefix("torch.")
                origins[key] = Origin(fingerprint(job.model, dtype=number), number, where.type)
            estimates.append(_cost(job, out, origins[key], store=store, counted=counted))
        except WorkbenchError as error:
            estimates.append(Cost(job.audit.key, job.model, job.dataset, job.rules.name, trouble=str(error)))
    return estimates


def _cost(job: AuditJob, out: Path, origin: Origin, *, store: VectorStore, counted: set[str]) -> Cost:
    dataset = readers.read(job.dataset, limit=job.limit, download=job.download)
    layout = layout_of(job, dataset, origin)
    missing = [one for one in layout.pictures if one.key not in counted and not store.has(one.key)]
    counted.update(chunk.key for chunk in layout.pictures)  # what one job embeds is there for the next
    left = sum(len(chunk.items) for chunk in missing)
    attacked = hasattr(stages(job.audit), "attack") and any(chunk.changed for chunk in missing)
    speed = images_per_second(str(origin))
    names = [
        job_id(job, origin.fingerprint, device=device, dataset_hash=dataset.hash)[0]
        for device in (origin.device, f"{origin.device}:0")
    ]
    folder = next((place for place in (folders.find(out, name) for name in names) if place is not None), None)
    table = dataset.table
    n = int(table["cluster"].where(table["cluster"] != "", table["sample_id"]).nunique())  # independent images
    return Cost(
        audit=job.audit.key,
        model=job.model,
        dataset=job.dataset,
        protocol=job.rules.name,
        pictures=layout.size,
        kept=layout.size - left,
        texts=len(layout.prompts),
        seconds=None if attacked or (speed is None and left) else round(left / (speed or 1.0), 1),
        disk=left * (find_model(job.model).dim or WIDTH) * 4 + FILES,
        done=folder is not None and header.read(folder).status == "success",
        detectable=minimum_detectable_difference(n, 0.5, others=n).smallest,
    )
