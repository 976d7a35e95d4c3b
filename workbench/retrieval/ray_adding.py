"""Open and embed the images of an index on Ray Data: one model a worker, results in the order in which they are done.

The caller writes them, so that an interruption loses what was on its way and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.embedding.ray_data import started
from workbench.errors import BadInput
from workbench.retrieval.opening import OpenedImage, open_image

if TYPE_CHECKING:
    from workbench.engine import Session
    from workbench.retrieval.sources import SourceEntry

BATCH = 32  # images of one task, and of one pass


@dataclass(frozen=True)
class _Model:
    """Which model a worker loads."""

    key: str
    device: str
    dtype: str
    fingerprint: str
    threads: int  # the same order of sums as in this process


def embed_on_ray(
    entries: Sequence[SourceEntry], known: Collection[bytes], session: Session, *, workers: int
) -> Iterator[list[OpenedImage]]:
    """Yield opened images whose `pixels` are vectors, (dim,) float32 of unit length; None where the content is known.

    Args:
        entries: the images.
        known: the first 16 bytes of the hashes that the index holds.
        session: its model is what each worker loads, on the same kind of device.
        workers: models at once.

    Raises:
        Unsupported: Ray is not installed.
        BadInput: a worker's model is another one, as its weights or libraries differ.
    """
    import torch

    ray = started()
    model = _Model(
        session.spec.key, session.device.split(":")[0], session.dtype, session.fingerprint, torch.get_num_threads()
    )
    groups = [list(entries[start : start + BATCH]) for start in range(0, len(entries), BATCH)]
    rows = ray.data.from_items([{"at": at} for at in range(len(groups))], override_num_blocks=len(groups))
    results = rows.map_batches(
        _IndexWorker,
        fn_constructor_args=(model, groups, frozenset(known)),
        batch_size=1,
        num_gpus=1 if model.device == "cuda" else 0,
        compute=ray.data.ActorPoolStrategy(size=max(1, workers)),
    )
    for row in results.iter_rows():
        opened, fingerprint = row["opened"]
        if fingerprint != session.fingerprint:
            raise BadInput("A worker loads another model than this process: its weights, libraries or dtype differ.")
        yield opened


class _IndexWorker:
    """One model that opens and embeds groups of images."""

    def __init__(self, model: _Model, groups: list[list[SourceEntry]], known: frozenset[bytes]) -> None:
        import torch

        from workbench import load

        torch.set_num_threads(model.threads)
        self._model: Any = load(model.key, device=model.device, dtype=model.dtype)
        self._groups, self._known = groups, known

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        results = np.empty(len(batch["at"]), object)
        for place, at in enumerate(batch["at"]):
            results[place] = (self._embedded(self._groups[int(at)]), self._model.fingerprint)
        return {"opened": results}

    def _embedded(self, entries: Sequence[SourceEntry]) -> list[OpenedImage]:
        import torch

        opened = [open_image(entry, self._known, self._model.prepare) for entry in entries]
        pixels = [one.pixels for one in opened if one.pixels is not None]
        vectors = iter(self._model.encode_pixels(torch.stack(pixels)).numpy() if pixels else ())
        return [one if one.pixels is None else replace(one, pixels=next(vectors)) for one in opened]
