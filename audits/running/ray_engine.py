"""The embed stage on Ray Data: missing chunks are computed by a pool of models and written to the same store.

Chunks are those of the local engine, so the tables are the same whoever computed them. What Ray leaves out, such as
texts, the local engine computes afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from audits.datasets.dataset import Dataset
from audits.passes import embed_groups, encode_texts
from audits.running.chunks import Chunk
from audits.running.embedding import Layout
from audits.running.jobs import AuditJob
from audits.running.vectors import VectorStore
from audits.stages import stages
from workbench.embedding.ray_data import started
from workbench.errors import Cancelled
from workbench.progress import Progress
from workbench.scheduler import CancelToken


def fill(
    job: AuditJob, dataset: Dataset, layout: Layout, *, store: VectorStore, token: CancelToken | None
) -> Generator[Progress, None, None]:
    """Compute the missing chunks of images into the store, with `job.workers` models.

    Raises:
        Unsupported: Ray is not installed.
        Cancelled: on request; finished chunks are stored.
    """
    missing = [chunk for chunk in layout.pictures if not store.has(chunk.key)]
    if not missing:
        return
    began, ray = time.monotonic(), started()
    total, done = sum(len(chunk.items) for chunk in missing), 0
    rows = ray.data.from_items([{"at": at} for at in range(len(missing))], override_num_blocks=len(missing))
    results = rows.map_batches(
        _Worker,
        fn_constructor_args=(_WorkerInput(job, dataset, layout, missing, str(store.folder)),),
        batch_size=1,
        num_gpus=1 if _device(job).startswith("cuda") else 0,
        compute=ray.data.ActorPoolStrategy(size=max(1, job.workers)),
    )
    for row in results.iter_rows():
        done += int(row["images"])
        seconds = time.monotonic() - began
        yield Progress.timed(done, total, "images", seconds=seconds, computed=done, stage="embed")
        if token is not None and token.cancelled:
            raise Cancelled("Stopped on request; finished work is kept, and the same command continues.")


class _WorkerInput:
    """What is sent to a worker: plain data, and the texts only where an attack needs them."""

    def __init__(self, job: AuditJob, dataset: Dataset, layout: Layout, chunks: list[Chunk], store: str) -> None:
        import torch

        self.audit, self.model, self.dtype, self.device = job.audit, job.model, job.dtype, _device(job)
        self.dataset, self.chunks, self.store = dataset, chunks, store
        self.prompts = layout.prompts if hasattr(stages(job.audit), "attack") else ()
        self.threads = torch.get_num_threads()  # the same order of sums as in this process


class _Worker:
    """One model that computes whole chunks."""

    def __init__(self, job: _WorkerInput) -> None:
        import torch

        from workbench.loading import load

        torch.set_num_threads(job.threads)
        self._job = job
        self._module = stages(job.audit)
        self._model = load(job.model, device=job.device, dtype=job.dtype)
        self._store = VectorStore(Path(job.store))
        rows = encode_texts(self._model, job.prompts) if job.prompts else ()
        self._texts = dict(zip(job.prompts, rows, strict=True))

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[int]]:
        chunks = [self._job.chunks[int(at)] for at in batch["at"]]
        groups = [chunk.items for chunk in chunks]
        computed = embed_groups(self._model, self._module, self._job.dataset, groups=groups, texts=self._texts)
        for chunk, rows in zip(chunks, computed, strict=True):
            self._store.put_many({chunk.key: rows})
        return {"images": [len(chunk.items) for chunk in chunks]}


def _device(job: AuditJob) -> str:
    from workbench.loading.device import choose_device

    return str(choose_device(job.device))
