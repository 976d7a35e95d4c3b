"""How long does it take to embed a photo, decoding apart, beside the bare tower?"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from PIL import Image

BATCH, ROUNDS = 32, 7


def milliseconds(embed: Callable[[Sequence[Image.Image]], object], pictures: Sequence[Image.Image]) -> float:
    """The median over seven rounds of 32 pictures, a picture; one round before them is not counted.

    Args:
        embed: what is timed; takes a list of pictures.
        pictures: decoded; the first 32 are used.
    """
    batch = list(pictures[:BATCH])
    embed(batch)
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        embed(batch)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times) / len(batch)
