"""Steps per second of the Fourier canvas beside a plain loop, taken in turns so that both meet the same load.

    python -m benchmarks.generation

Beside it, the seconds from Go to the first preview, with the models in memory. Processor seconds hardly depend on what
else the machine does, with one thread (OMP_NUM_THREADS=1).

The plain loop is written as the well-known notebooks are: one cutout after another, each cropped, resized, warped and
tinted by torchvision, all of them stacked for the model at its full size. Its model is the one that transformers reads
from the shipped folder, as a notebook has it, or ours, whose convolutions are folded.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torchvision import transforms

from workbench.checkpoints.shipped import POCKET
from workbench.engine import Engine
from workbench.generation.canvases import Fourier
from workbench.generation.canvases.kinds import CANVASES
from workbench.generation.models import needed
from workbench.generation.optimisation import optimise
from workbench.generation.painting import CanvasJob
from workbench.generation.run import generate
from workbench.generation.settings import Settings
from workbench.loading import load
from workbench.loading.torch_backend import TorchBackend
from workbench.preprocessing import normalise
from workbench.progress import Progress

_ROUNDS = 5


def plain_loop(embed: Callable[[Tensor], Tensor], row: Tensor, *, settings: Settings) -> Callable[[], None]:
    """A step of a loop without any of this workbench's cutouts."""
    side, cutouts = settings.side, settings.cutouts
    generator = torch.Generator().manual_seed(0)
    canvas = Fourier(side)
    parameters = canvas.start(1, generator)
    optimiser = torch.optim.Adam(parameters, lr=canvas.rate)
    augment = transforms.Compose(
        [
            transforms.RandomHorizontalFlip(),
            transforms.RandomAffine(20, translate=(0.1, 0.1)),
            transforms.RandomPerspective(0.25, p=0.5),
        ]
    )

    def step() -> None:
        pixels = canvas.pixels(parameters)
        squares = []
        for _ in range(cutouts):
            size = int(side * (0.45 + 0.55 * torch.rand(1).item()))
            top, left = (int(torch.randint(0, side - size + 1, (1,))) for _ in range(2))
            part = pixels[..., top : top + size, left : left + size]
            resized = torch.nn.functional.interpolate(part, size=(settings.cutout_side,) * 2, mode="bilinear")
            squares.append(augment(resized) * (1 + 0.1 * torch.rand(1, 3, 1, 1)))
        batch = torch.cat(squares)
        batch = (batch + 0.05 * torch.rand(1) * torch.randn_like(batch)).clamp(0, 1)
        loss = -(embed(batch) @ row).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


def main() -> None:
    """Write a JSON line with the seconds to first previews, and one with those of a step of either loop."""
    parser = argparse.ArgumentParser(description="Speed of generation beside a plain loop.")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="steps of each loop; the first is left out")
    rounds = parser.parse_args().rounds
    if rounds < 2:
        parser.error(f"--rounds takes 2 or more, since the first is left out; got {rounds}")
    sys.stdout.write(json.dumps({"seconds to the first preview": first_previews()}) + "\n")
    sys.stdout.flush()
    model = load("pocket", device="cpu")
    row = model.embed_texts(["a red apple"])[0]
    settings = Settings(prompt="a red apple", side=256, cutouts=8, steps=10_000)
    full = replace_size(settings, model.image_size)
    jobs = {
        one.cutout_side: optimise([model], CanvasJob(one, row[None].numpy(), (1.0,)))
        for one in (replace_size(settings, 128), full)
    }
    work: dict[str, Callable[[], object]] = {
        "plain, transformers' model": plain_loop(as_transformers_reads_it(model), row, settings=full),
        "plain, our model": plain_loop(model.embed_pixels, row, settings=full),
    }
    work |= {f"ours, {size} px": functools.partial(next, running) for size, running in jobs.items()}
    for size in jobs:
        bare = torch.rand(settings.cutouts, 3, size, size).requires_grad_()
        work[f"model alone, {size} px"] = functools.partial(both_passes, model, bare, row)
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    start = time.monotonic()
    for done in range(1, rounds + 1):
        for name, step in work.items():
            begun = time.perf_counter(), time.process_time()
            step()
            seconds[name].append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
        seen = Progress.timed(done, rounds, "rounds", seconds=time.monotonic() - start, computed=done)
        sys.stderr.write(seen.line + "\n")
    for at, kind in enumerate(("seconds a step", "processor seconds a step")):
        middle = {name: float(np.median([pair[at] for pair in pairs[1:]])) for name, pairs in seconds.items()}
        sys.stdout.write(json.dumps({kind: middle, "cutouts": 8, "side": 256}) + "\n")


def as_transformers_reads_it(model: TorchBackend) -> Callable[[Tensor], Tensor]:
    """(n, 3, size, size) in 0..1 -> (n, dim) unit rows, by the library's own class of the same weights."""
    from transformers import VisionTextDualEncoderModel

    theirs = VisionTextDualEncoderModel.from_pretrained(POCKET.folder, dtype=torch.float32).eval().requires_grad_(False)

    def embed(pixels: Tensor) -> Tensor:
        rows = theirs.get_image_features(pixel_values=normalise(pixels, model.preprocessing)).pooler_output
        return torch.nn.functional.normalize(rows, dim=-1)

    return embed


def both_passes(model: TorchBackend, pixels: Tensor, row: Tensor) -> None:
    """Forward and backward."""
    (model.embed_pixels(pixels) @ row).sum().backward()  # type: ignore[no-untyped-call]


def first_previews() -> dict[str, float]:
    """Seconds from the call to the first preview of an image, by method; models are loaded before."""
    seconds = {}
    with Engine(default="pocket", device="cpu") as engine:
        for method in ("prior", *CANVASES):
            settings = Settings(prompt="a red apple", method=method, side=256, steps=1)
            with engine.session("benchmark", settings.model, others=needed(settings)) as session:
                session.embed_texts(["a warm model"])
                begun = time.perf_counter()
                for step in generate(session, settings):
                    if isinstance(step, Progress) and step.preview is not None:
                        seconds[method] = time.perf_counter() - begun
                        break
    return seconds


def replace_size(settings: Settings, size: int) -> Settings:
    """The same settings with cutouts of another size."""
    return settings.model_copy(update={"cutout_side": size})


if __name__ == "__main__":
    main()
