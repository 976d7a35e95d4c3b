"""`python -m benchmarks.decoding`: what a worker process adds to one image, in milliseconds and as a ratio.

An image is measured from its file's bytes to the square that an image tower sees, as every question, search and upload
asks for it, and from its bytes to an image of at most 672 pixels on its shorter side, as the views that write on it do.
Both ways take turns, and the least time of each counts, since other work on the machine only adds.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import typer
from PIL import Image

from workbench.images import safe_decode
from workbench.pictures import SAMPLES, sample_path
from workbench.prepared import prepare_file
from workbench.preprocessing import Preprocessing, prepare
from workbench.typographic.comparing import LARGEST
from workbench.worker import active, supervised

SIZES = ((512, 512), (1200, 800), (2000, 1500), (4000, 3000))  # pixels of photographs
SIDE = 224  # of the square


def photo(width: int, height: int) -> bytes:
    """Return a JPEG of soft noise, about as large as a photograph's."""
    rough = np.random.default_rng(0).integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(rough).resize((width, height)).save(file, "JPEG", quality=90)
    return file.getvalue()


def least(act: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Return the milliseconds of the fastest of so many runs, in this process and in a worker."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(repeats):
        for here in times:
            with patch("workbench.worker._pools", []) if here else patch("workbench.worker._pools", [active()]):
                begun = time.perf_counter()
                act()
                times[here].append(1000 * (time.perf_counter() - begun))
    return min(times[True]), min(times[False])


def main(repeats: int = 40) -> None:
    """Print one line an image and way: milliseconds in this process, in a worker, the difference and the ratio."""
    to = Preprocessing(SIDE, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    model = SimpleNamespace(preprocessing=to, prepare=partial(prepare, to=to), finish=lambda square: square)
    files = {"shipped, " + SAMPLES[0].key: sample_path(SAMPLES[0].key).read_bytes()}
    files |= {f"{width} x {height}": photo(width, height) for width, height in SIZES}
    ways: dict[str, Callable[[bytes], Any]] = {
        "square": lambda data: prepare_file(model, data, "photo"),
        "canvas": lambda data: safe_decode(data, "photo", shorter=LARGEST),
    }
    typer.echo(f"{'':20} {'':8} {'here':>7} {'worker':>7}   more  ratio")
    with supervised():
        for way, act in ways.items():
            for name, data in files.items():
                here, there = least(lambda act=act, data=data: act(data), repeats)  # type: ignore[misc]
                typer.echo(f"{name:20} {way:8} {here:7.2f} {there:7.2f} {there - here:+6.2f} {there / here:6.2f}")


if __name__ == "__main__":
    typer.run(main)
