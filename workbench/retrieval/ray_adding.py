"""Open and embed images and videos of an index on Ray Data: one model a worker.

Results come in the order in which they are done. The caller writes them, so that an interruption loses what was on its
way and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.embedding.ray_data import started
from workbench.errors import BadInput
from workbench.retrieval.opening import OpenedImage, open_image
from workbench.retrieval.video_rows import UNFINISHED, VideoTask, frame_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.engine import Session
    from workbench.retrieval.sources import SourceEntry
    from workbench.retrieval.video_rows import FrameRow

BATCH = 32  # images of one task, and of one pass
BLOCK = (
    1 << 20
)  # bytes of results that a worker hands over at once, so that frames of a long video come while it is read


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
    groups = [list(entries[start : start + BATCH]) for start in range(0, len(entries), BATCH)]
    yield from _results(_Images(groups, frozenset(known)), session, count=len(groups), workers=workers)


def embed_videos_on_ray(
    tasks: Sequence[VideoTask], session: Session, *, workers: int
) -> Iterator[tuple[VideoTask, list[FrameRow], str]]:
    """Yield rows of the frames of videos in groups, each with its task; of an unreadable video, an error instead.

    Groups of different videos mix; the row that says that a video is complete comes after its others.

    Args:
        tasks: the videos.
        session: see `embed_on_ray`.
        workers: models at once, each on one video at a time.

    Raises:
        Unsupported, BadInput: see `embed_on_ray`.
    """
    came: Counter[int] = Counter()
    held: dict[int, tuple[int, list[FrameRow]]] = {}  # last groups: how many come before, the rows
    for at, number, rows, error in _results(_Videos(list(tasks)), session, count=len(tasks), workers=workers):
        if rows and rows[-1][0].size != UNFINISHED:
            held[at] = number, rows
        else:
            came[at] += 1
            yield tasks[at], rows, error
        if at in held and came[at] == held[at][0]:
            yield tasks[at], held.pop(at)[1], ""


def _results(work: _Images | _Videos, session: Session, *, count: int, workers: int) -> Iterator[Any]:
    """Have workers do jobs 0 to count - 1; yield what they yield."""
    import torch

    ray = started()
    model = _Model(
        session.spec.key, session.device.split(":")[0], session.dtype, session.fingerprint, torch.get_num_threads()
    )
    if not count:
        return
    jobs = ray.data.from_items([{"at": at} for at in range(count)], override_num_blocks=count)
    jobs.context.target_max_block_size = BLOCK
    results = jobs.map_batches(
        _IndexWorker,
        fn_constructor_args=(model, work),
        batch_size=1,
        num_gpus=1 if model.device == "cuda" else 0,
        compute=ray.data.ActorPoolStrategy(size=max(1, workers)),
    )
    for row in results.iter_rows():
        result, fingerprint = row["result"]
        if fingerprint != session.fingerprint:
            raise BadInput("A worker loads another model than this process: its weights, libraries or dtype differ.")
        yield result


class _IndexWorker:
    """One model that does jobs."""

    def __init__(self, model: _Model, work: _Images | _Videos) -> None:
        import torch

        from workbench.loading import load

        torch.set_num_threads(model.threads)
        self._model: Any = load(model.key, device=model.device, dtype=model.dtype)
        self._work = work

    def __call__(self, batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for at in batch["at"]:
            for result in self._work.results(int(at), self._model, self._embed):
                cell = np.empty(1, object)
                cell[0] = (result, self._model.fingerprint)
                yield {"result": cell}

    def _embed(self, pixels: Sequence[Any]) -> NDArray[np.float32]:
        import torch

        vectors: NDArray[np.float32] = self._model.encode_pixels(torch.stack(list(pixels))).numpy()
        return vectors


@dataclass(frozen=True)
class _Images:
    """Groups of images to open and embed."""

    groups: list[list[SourceEntry]]
    known: frozenset[bytes]

    def results(self, at: int, model: Any, embed: Any) -> Iterator[list[OpenedImage]]:
        opened = [open_image(entry, self.known, model) for entry in self.groups[at]]
        pixels = [one.pixels for one in opened if one.pixels is not None]
        vectors = iter(embed(pixels) if pixels else ())
        yield [one if one.pixels is None else replace(one, pixels=next(vectors)) for one in opened]


@dataclass(frozen=True)
class _Videos:
    """Videos whose frames to embed."""

    tasks: list[VideoTask]

    def results(self, at: int, model: Any, embed: Any) -> Iterator[tuple[int, int, list[FrameRow], str]]:
        try:
            for number, rows in enumerate(frame_rows(self.tasks[at], model.prepare, embed)):
                yield at, number, rows, ""
        except BadInput as error:
            yield at, 0, [], str(error)
