"""Milliseconds to embed a photo, without decoding, beside the bare image tower."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from PIL import Image

BATCH, ROUNDS = 32, 7


def milliseconds(embed: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median over seven rounds; one before them is not counted.

    Args:
        embed: what is timed.
        rounds: how many.
    """
    embed()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        embed()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def bare(architecture: str, side: int) -> Callable[[], object]:
    """A batch of 32 through an image tower alone: timm's, float32, channels last, what it gets prepared already.

    Args:
        architecture: timm's name; its weights are random, which takes as long.
        side: pixels.
    """
    import timm

    net: Any = timm.create_model(architecture, pretrained=False, num_classes=0).eval()
    net.to(memory_format=torch.channels_last)
    pixels = torch.rand(BATCH, 3, side, side, generator=torch.Generator().manual_seed(0))
    pixels = pixels.contiguous(memory_format=torch.channels_last)

    def run() -> object:
        with torch.inference_mode():
            return net(pixels)

    return run


def a_photo(
    embed: Callable[[Sequence[Image.Image]], object], pictures: Sequence[Image.Image], tower: Callable[[], object]
) -> tuple[float, float]:
    """Milliseconds a photo: of `embed`, preparation included, and of the bare tower, in turns.

    Args:
        embed: takes a list of decoded pictures.
        pictures: of which the first 32 are used, or fewer again.
        tower: as `bare` gives it.
    """
    batch = [pictures[place % len(pictures)] for place in range(BATCH)]
    rows = [(milliseconds(lambda: embed(batch), 1), milliseconds(tower, 1)) for _ in range(ROUNDS)]
    whole, alone = (statistics.median(column) for column in zip(*rows, strict=True))
    return whole / BATCH, alone / BATCH
