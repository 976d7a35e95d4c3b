"""The embed stage on Ray Data: missing chunks are spread over a pool of models, and land in the same place.

Chunks are the local engine's own, so that the tables are the same whoever computed them. What Ray does not do is
done afterwards by the local engine, which finds the chunks there. Ray is an extra and is imported here alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audits.running.chunks import Chunk
from audits.running.embedding import Layout
from audits.running.jobs import Job, check_ray
from audits.running.passes import encode, open_square
from audits.running.vectors import VectorStore
from audits.stages import stages
from workbench.errors import Cancelled
from workbench.progress import Progress
from workbench.scheduler import CancelToken

if TYPE_CHECKING:
    from audits.datasets.dataset import Dataset

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_TRAIN_V2_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def fill(
    job: Job, dataset: Dataset, layout: Layout, *, store: VectorStore, token: CancelToken | None
) -> Generator[Progress, None, None]:
    """Compute the missing chunks of pictures into the store, with `job.workers` models.

    Raises:
        Unsupported: Ray is not installed.
        Cancelled: on request; chunks that are done are kept.
    """
    check_ray()
    missing = [chunk for chunk in layout.pictures if not store.has(chunk.key)]
    if not missing:
        return
    import ray

    began = time.monotonic()
    _start(ray)
    total, done = sum(len(chunk.items) for chunk in missing), 0
    rows = ray.data.from_items([{"at": at} for at in range(len(missing))], override_num_blocks=len(missing))
    told = rows.map_batches(
        _Worker,
        fn_constructor_args=(_Parcel(job, dataset, layout, missing, str(store.folder)),),
        batch_size=1,
        num_gpus=1 if _device(job).startswith("cuda") else 0,
        compute=ray.data.ActorPoolStrategy(size=max(1, job.workers)),
    )
    for row in told.iter_rows():
        done += int(row["pictures"])
        seconds = time.monotonic() - began
        yield Progress.timed(done, total, "images", seconds=seconds, computed=done, stage="embed")
        if token is not None and token.cancelled:
            raise Cancelled("Stopped on request; what is done is kept, and the same command continues.")


class _Parcel:
    """What a worker is sent: plain data, and the texts only where an attack needs them."""

    def __init__(self, job: Job, dataset: Dataset, layout: Layout, chunks: list[Chunk], store: str) -> None:
        import torch

        self.audit, self.model, self.dtype, self.device = job.audit, job.model, job.dtype, _device(job)
        self.dataset, self.chunks, self.store = dataset, chunks, store
        self.prompts = layout.prompts if hasattr(stages(job.audit), "attack") else ()
        self.threads = torch.get_num_threads()  # the same sums in the same order as here


class _Worker:
    """One model that computes whole chunks."""

    def __init__(self, parcel: _Parcel) -> None:
        import torch

        from workbench import load

        torch.set_num_threads(parcel.threads)
        self._parcel = parcel
        self._module = stages(parcel.audit)
        self._model = load(parcel.model, device=parcel.device, dtype=parcel.dtype)
        self._store = VectorStore(Path(parcel.store))
        self._texts = {}
        if parcel.prompts:
            rows = self._model.embed_texts(list(parcel.prompts)).numpy()
            self._texts = dict(zip(parcel.prompts, rows, strict=True))

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[int]]:
        import torch

        told = []
        for at in batch["at"]:
            chunk = self._parcel.chunks[int(at)]
            squares = [
                open_square(self._module, self._model, self._parcel.dataset, item=item, path=path)
                for item, path in zip(chunk.items, chunk.paths, strict=True)
            ]
            rows = encode(self._model, self._module, torch.stack(squares), chunk=chunk, texts=self._texts)
            self._store.put(chunk.key, rows)
            told.append(len(chunk.items))
        return {"pictures": told}


def _device(job: Job) -> str:
    from workbench.loading.device import choose_device

    return str(choose_device(job.device))


def _start(ray: Any) -> None:
    """Join the cluster that the environment names, or begin one on this machine."""
    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    if not ray.is_initialized():
        here = str(Path(__file__).parents[2])
        ray.init(include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": _path(here)}})
    ray.data.DataContext.get_current().enable_progress_bars = False


def _path(here: str) -> str:
    return os.pathsep.join(dict.fromkeys([here, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]))
