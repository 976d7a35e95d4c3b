"""What jobs would cost: images, what is kept of them already, time and disk; nothing is computed and no run begun.

Built-in data that was never used before is drawn, because it must be counted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audits.datasets import readers
from audits.tasks import PASS
from audits.run_directory import header
from audits.running import folders
from audits.running.fitting import layout_of
from audits.running.jobs import AuditJob
from audits.running.performing import job_id
from audits.running.vectors import VectorStore
from audits.stages import facts, stages
from workbench.errors import WorkbenchError

FILES = 500_000  # bytes of a run's tables and figures, roughly


@dataclass(frozen=True)
class Cost:
    """What one job would take."""

    audit: str
    model: str
    dataset: str
    protocol: str
    pictures: int  # in all forms
    kept: int  # of these, vectors that are there
    texts: int
    seconds: float | None  # to embed the rest; None where that cannot be told: attacks
    disk: int  # bytes that the rest will take
    done: bool  # a finished run is there
    trouble: str = ""  # why the job cannot run


def costs(
    jobs: Sequence[AuditJob], out: Path, *, store: VectorStore | None = None, models: Mapping[str, Any] | None = None
) -> list[Cost]:
    """Return what each job would cost; one that cannot run says why.

    Args:
        jobs: what would be done.
        out: the folder of run directories.
        store: where vectors are kept; the shared folder when not given.
        models: open sessions or loaded models by key, used in place of loading one.
    """
    looked_at: dict[tuple[str, str, str], tuple[Any, float] | WorkbenchError] = {}
    kept = store or VectorStore()
    told, counted = [], set[str]()
    for job in jobs:
        key = (job.model, job.device, job.dtype)
        if key not in looked_at:
            looked_at[key] = _model(job, (models or {}).get(job.model))
        model = looked_at[key]
        try:
            if isinstance(model, WorkbenchError):
                raise model
            told.append(_cost(job, out, model, store=kept, counted=counted))
        except WorkbenchError as error:
            told.append(_nothing(job, str(error)))
    return told


def _model(job: AuditJob, given: Any) -> tuple[Any, float] | WorkbenchError:
    """Load a model where none is given, and let it see one pass; return it with its images a second, or why not."""
    import numpy as np
    from PIL import Image

    from workbench import load

    try:
        model = given if given is not None else load(job.model, device=job.device, dtype=job.dtype)
        side = model.image_size
        noise = np.random.default_rng(time.monotonic_ns())  # images that no cache knows
        grey = [Image.fromarray(noise.integers(0, 256, (side, side, 3), dtype=np.uint8)) for _ in range(PASS + 1)]
        model.embed_images(grey[:1])  # kernels are chosen at first use
        began = time.monotonic()
        model.embed_images(grey[1:])
    except WorkbenchError as error:
        return error
    return model, PASS / max(1e-6, time.monotonic() - began)


def _cost(job: AuditJob, out: Path, model: tuple[Any, float], *, store: VectorStore, counted: set[str]) -> Cost:
    known = facts(model[0])
    dataset = readers.read(job.dataset, limit=job.limit, download=job.download)
    layout = layout_of(job, dataset, known)
    missing = [one for one in layout.pictures if one.key not in counted and not store.has(one.key)]
    counted.update(chunk.key for chunk in layout.pictures)  # what one job embeds is there for the next
    left = sum(len(chunk.items) for chunk in missing)
    attacked = hasattr(stages(job.audit), "attack") and any(chunk.changed for chunk in missing)
    folder = folders.find(out, job_id(job, known, dataset.hash)[0])
    return Cost(
        audit=job.audit.key,
        model=job.model,
        dataset=job.dataset,
        protocol=job.rules.name,
        pictures=layout.size,
        kept=layout.size - left,
        texts=len(layout.prompts),
        seconds=None if attacked else round(left / model[1], 1),
        disk=left * known.dim * 4 + FILES,
        done=folder is not None and header.read(folder).status == "success",
    )


def _nothing(job: AuditJob, trouble: str) -> Cost:
    return Cost(
        audit=job.audit.key,
        model=job.model,
        dataset=job.dataset,
        protocol=job.rules.name,
        pictures=0,
        kept=0,
        texts=0,
        seconds=None,
        disk=0,
        done=False,
        trouble=trouble,
    )
