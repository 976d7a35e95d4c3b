"""What the neuron explorer promises, measured: exact sums, page times, live ablation, a layer's activations streamed.

    python -m benchmarks.neurons ablation
    python -m benchmarks.neurons pages
    python -m benchmarks.neurons stream --images 2000
    python -m benchmarks.neurons exact --tower ViT-B-32 --images 1000

Towers other than the shipped ones have seeded random weights.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import cycle, islice
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from workbench.checkpoints.shipped import FAKE
from workbench.loading import load
from workbench.loading.torch_backend import TorchBackend
from workbench.neurons.activations import Survey
from workbench.neurons.atlas import Atlas, find_atlas
from workbench.neurons.atlas_building import build_atlas
from workbench.neurons.corpus import CorpusItem, built_in, open_item
from workbench.progress import Progress

command = typer.Typer(help="Measure the neuron explorer; prints JSON.")
Images = Annotated[int, typer.Option("--images", min=1, help="Number of images.")]
Model = Annotated[str, typer.Option("--model", help="A shipped model.")]


@command.command()
def ablation(images: Images = 10_000, model: Model = "pocket") -> None:
    """Switch 20 units off and answer many images anew, without a forward pass."""
    from workbench.neurons.switching import UnitChange, switch

    atlas = _atlas(load(model))
    rows = np.resize(atlas.survey.values, (images, atlas.units))
    items = tuple(atlas.survey.items[number % len(atlas.survey.items)] for number in range(images))
    seen = Survey(items, atlas.survey.layer, rows, np.zeros((images, 1), np.float32), "")
    large = dataclasses.replace(atlas, survey=seen)
    labels = [atlas.lexicon.words[place] for place in range(20)]
    change = UnitChange(tuple(range(20)))
    seconds = [_timed(lambda: switch(large, change, labels, rows=atlas.lexicon.rows[:20])) for _ in range(5)]
    _show("ablation", model, images=images, milliseconds=1000 * float(np.median(seconds)))


@command.command()
def pages(model: Model = "pocket") -> None:
    """Open a unit's page without an atlas and with one; imports as in a server whose Neurons view is open."""
    import_module("apps.neurons")
    gc.freeze()
    from workbench.neurons.page import places, render
    from workbench.neurons.unit import report

    backend = load(model)
    begun, first, made = time.perf_counter(), 0.0, None
    for step in build_atlas(backend, built_in(), "last"):
        if isinstance(step, Progress):
            sys.stderr.write(step.line + "\n")
        if isinstance(step, Survey) and not first:
            first = time.perf_counter() - begun
        if isinstance(step, Atlas):
            made = step
    assert made is not None

    def page(atlas: Atlas) -> None:
        one = report(atlas, 0, model=(backend.spec.title, model))
        render(one, where=places(backend, one))

    page(made)
    whole = time.perf_counter() - begun
    _atlas(backend)
    again = _timed(lambda: page(_atlas(backend)))
    _show("pages", model, images=len(built_in()), first_evidence=first, whole_page=whole, with_atlas=again)


@command.command()
def stream(images: Images = 2000, model: Model = "pocket") -> None:
    """Stream the activations of all units of the last layer; in turns with embedding alone."""
    from workbench.embedding import prefetch
    from workbench.neurons.activations import BATCH, survey

    backend, items = load(model), list(islice(cycle(built_in()), images))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, kept = {"embedding": 0.0, "all units": 0.0}, list[Survey]()
    for start in range(0, images, 10 * BATCH):
        part = items[start : start + 10 * BATCH]

        def embed(part: list[CorpusItem] = part) -> None:
            groups = iter([part[at : at + BATCH] for at in range(0, len(part), BATCH)])
            for group in prefetch(groups, lambda item: backend.prepare(open_item(item)), ahead=2):
                backend.encode_pixels(_stacked(group))

        def units(part: list[CorpusItem] = part) -> None:
            kept.extend(step for step in survey(backend, part, "last") if isinstance(step, Survey))

        seconds["embedding"] += _timed(embed)
        seconds["all units"] += _timed(units)
        _tell(start + len(part), images, sum(seconds.values()))
    held = sum(one.values.nbytes + one.embeddings.nbytes for one in kept)
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    _show(
        "stream", model, images=images, **seconds, ratio=seconds["all units"] / seconds["embedding"],
        megabytes_kept=held / 1e6, megabytes_grown=growth / 1e3,
    )  # fmt: skip


@command.command()
def exact(
    images: Images = 1000,
    tower: Annotated[str, typer.Option(help="pocket, pocket-lite2, RN50 or ViT-B-32.")] = "pocket",
) -> None:
    """Decompose many images and compare each sum with the model's cosine."""
    from workbench.neurons.decomposition import decompositions

    backend = load(tower) if tower.startswith("pocket") else seeded(tower)
    generator = np.random.default_rng(0)
    texts = generator.normal(size=(3, backend.dim))
    texts = (texts / np.linalg.norm(texts, axis=1, keepdims=True)).astype(np.float32)
    errors, begun = list[float](), time.monotonic()
    for pixels in _pictures(generator, images, backend.image_size):
        errors += [one.error for one in decompositions(backend, (pixels, texts))]
        _tell(len(errors), images, time.monotonic() - begun)
    _show("exact", tower, images=len(errors), largest=max(errors), median=float(np.median(errors)))


def seeded(name: str) -> TorchBackend:
    """Make a tower of open_clip with seeded random weights, and no text tower."""
    import open_clip
    import torch

    from workbench.loading.anatomy import anatomy, attention
    from workbench.loading.last_step import of_open_clip
    from workbench.loading.torch_backend import TowerParts
    from workbench.preprocessing import Preprocessing

    torch.manual_seed(0)
    model = open_clip.create_model(name, pretrained=None).eval().requires_grad_(False)
    visual = model.visual
    layers = dataclasses.replace(anatomy(visual, 224), head=of_open_clip(model))
    towers = TowerParts(
        module=model,
        image=model.encode_image,
        text=lambda ids, mask: ids,
        tokenize=lambda texts: None,  # type: ignore[arg-type,return-value]
        preprocessing=Preprocessing(224, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        anatomy=layers,
        dim=int(visual.output_dim),
        logit_scale=100.0,
        attention=attention(visual, model.encode_image),
    )
    return TorchBackend(FAKE, towers, "seeded")


def _pictures(generator: np.random.Generator, count: int, side: int) -> Iterator[NDArray[np.uint8]]:
    """Yield batches of the built-in corpus's kind of content: smooth colours with noise."""
    for start in range(0, count, 16):
        small = generator.integers(0, 256, (min(16, count - start), 3, 7, 7))
        large = small.repeat(side // 7 + 1, axis=2).repeat(side // 7 + 1, axis=3)[..., :side, :side]
        yield np.clip(large + generator.normal(0, 20, large.shape), 0, 255).astype(np.uint8)


def _stacked(group: list[Any]) -> Any:
    import torch

    return torch.stack(group)


def _atlas(backend: TorchBackend) -> Atlas:
    atlas = find_atlas(backend, "last")
    if atlas is None:
        sys.exit("No atlas of this model is here; make one: clip-workbench atlas MODEL")
    return atlas


def _tell(done: int, images: int, seconds: float) -> None:
    sys.stderr.write(Progress.timed(done, images, "images", seconds=seconds, computed=done).line + "\n")


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _show(measure: str, model: str, **figures: float) -> None:
    sys.stdout.write(json.dumps({"measure": measure, "model": model, **figures}) + "\n")


if __name__ == "__main__":
    command()
