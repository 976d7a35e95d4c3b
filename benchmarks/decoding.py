"""`python -m benchmarks.decoding`: what a worker process adds to the decoding of one image, in milliseconds.

The least time of each counts, since other work on the machine only adds.
"""

from __future__ import annotations

import io
import time

import numpy as np
import typer
from PIL import Image

from workbench.images import safe_decode
from workbench.pictures import SAMPLES, sample_path
from workbench.worker import supervised

SIZES = ((1200, 800), (2000, 1500), (4000, 3000))  # pixels of photographs


def photo(width: int, height: int) -> bytes:
    """Return a JPEG of soft noise, about as large as a photograph's."""
    rough = np.random.default_rng(0).integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(rough).resize((width, height)).save(file, "JPEG", quality=90)
    return file.getvalue()


def least(data: bytes, repeats: int) -> float:
    """Return the milliseconds of the fastest of so many runs."""
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        safe_decode(data, "photo")
        times.append(1000 * (time.perf_counter() - begun))
    return min(times)


def main(repeats: int = 40) -> None:
    """Print one line an image: its size, and milliseconds in this process, in a worker, and more."""
    files = {"shipped, " + SAMPLES[0].key: sample_path(SAMPLES[0].key).read_bytes()}
    files |= {f"{width} x {height}": photo(width, height) for width, height in SIZES}
    here = {name: least(data, repeats) for name, data in files.items()}
    with supervised():
        there = {name: least(data, repeats) for name, data in files.items()}
    for name in files:
        typer.echo(f"{name:20} {here[name]:7.2f} {there[name]:7.2f} {there[name] - here[name]:+7.2f} ms")


if __name__ == "__main__":
    typer.run(main)
