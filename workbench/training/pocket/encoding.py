"""The forward pass of both towers over a batch, shard by shard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.training.pocket import texts
from workbench.training.pocket.lessons import Lessons
from workbench.training.pocket.parallel import DataParallel, gather
from workbench.training.pocket.stream import Batch
from workbench.training.pocket.towers import MIDDLE, Towers, late


@dataclass(frozen=True)
class Encoded:
    """A batch as the towers see it, the smaller pictures before the larger.

    Attributes:
        rows: (n, 1280) averages of the last map.
        alive: (n, concepts) what the concepts' channels hold before they are rectified.
        letters: (larger, 26, side, side) logits of which letter stands where.
        known: (photos, 1280) the locked classifier's averages of the photos.
        under: (covered, 1280) the same of the photos under words and labels.
    """

    rows: Tensor
    alive: Tensor
    letters: Tensor
    known: Tensor
    under: Tensor


class Encoder:
    """The forward pass of one process, over a shard of images or of texts.

    Args:
        towers: that learn.
        lessons: the auxiliary heads.
        locked: the classifier that photos are distilled from.
        tokenizer: of the text tower.
    """

    def __init__(self, towers: Towers, lessons: Lessons, *, locked: Any, tokenizer: Any) -> None:
        self._towers, self._lessons, self._locked, self._tokenizer = towers, lessons, locked, tokenizer

    def __call__(self, task: tuple[str, Any]) -> tuple[Tensor, ...]:
        """Run a task: ("images", pixels, large, labels, clean) or ("texts", texts)."""
        kind, *inputs = task
        return self._images(*inputs) if kind == "images" else (self._texts(*inputs),)

    def _images(self, *arrays: NDArray[Any]) -> tuple[Tensor, ...]:
        towers, lessons = self._towers, self._lessons
        pixels, large, label, clean = (torch.from_numpy(array).to(towers.device) for array in arrays)
        with towers.mixed():
            maps = towers.early(_scaled(pixels)), towers.early(_scaled(large))
            middle = towers.middle(maps[1])
            last = towers.last(maps[0], towers.frozen), towers.last(middle, MIDDLE)
            rows = torch.cat([towers.averaged(part) for part in last]).float()
            with torch.no_grad():
                photos = zip(maps, torch.split(label >= 0, [len(pixels), len(large)]), strict=True)
                known = torch.cat([late(self._locked, part[which], towers.frozen).float() for part, which in photos])
                under = late(self._locked, towers.early(_scaled(clean)), towers.frozen).float()
        return rows, torch.cat([lessons.alive(part) for part in last]), lessons.letter(middle.float()), known, under

    def _texts(self, batch: list[str]) -> Tensor:
        with self._towers.mixed():
            return self._towers.pooled(texts.tokens(self._tokenizer, batch))


def encode_images(batch: Batch, pool: DataParallel) -> Encoded:
    """Run the image towers over a batch, a shard in each process."""
    smaller, larger = pool.split(len(batch.pixels)), pool.split(len(batch.large), reverse=True)
    places = [torch.cat([few, len(batch.pixels) + many]) for few, many in zip(smaller, larger, strict=True)]
    covered = pool.split(len(batch.clean))
    tasks = [
        (
            "images",
            *(part.numpy() for part in (batch.pixels[few], batch.large[many], batch.label[place], batch.clean[own])),
        )
        for few, many, place, own in zip(smaller, larger, places, covered, strict=True)
    ]
    rows, alive, letters, known, under = zip(*pool.run(tasks), strict=True)
    photos = [place[batch.label[place] >= 0] for place in places]
    answers = gather(known, photos), gather(under, covered)
    return Encoded(gather(rows, places), gather(alive, places), gather(letters, larger), *answers)


def encode_texts(batch: Sequence[str], pool: DataParallel) -> Tensor:
    """Texts -> (n, 384) from the text tower, a shard in each process."""
    places = pool.split(len(batch))
    tasks = [("texts", [batch[number] for number in place.tolist()]) for place in places]
    return gather([rows for (rows,) in pool.run(tasks)], places)


def _scaled(pixels: Tensor) -> Tensor:
    """Bytes -> -1..1, as the tower takes them."""
    return (pixels.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
