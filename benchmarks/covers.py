"""`python -m benchmarks.covers`: the smallest label that makes a model answer a chosen name, searched and at random.

For drawings of the built-in set, each with one of 100 names as its target; both ways ask the model equally often.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Annotated, Any, Literal

import numpy as np
import typer
from numpy.typing import NDArray

from audits.typographic.drawings import to_measure
from workbench.loading import load
from workbench.progress import Progress
from workbench.statistics.intervals import bootstrap
from workbench.typographic.search import LabelSearch, Trial, candidate_words, search

NAMES = 100
WHOLE = 1.0  # the cover where no label won
WAYS: tuple[Literal["guided", "random"], ...] = ("guided", "random")


def main(
    *,
    images: Annotated[int, typer.Option(min=2, help="Number of drawings.")] = 100,
    model: Annotated[str, typer.Option(help="A key listed by `models`, or a folder.")] = "pocket",
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 0,
) -> None:
    """Print the median smallest covers as JSON, and their ratio with a bootstrap interval over images."""
    rng, drawings = np.random.default_rng(seed), list(to_measure())
    names = [str(one) for one in rng.permutation(sorted({one.name for one in drawings}))[:NAMES]]
    known = [one for one in drawings if one.name in names]
    backend = load(model)
    texts = backend.embed_texts([f"a photo of a {name}" for name in names]).numpy()
    began, covers = time.monotonic(), list[tuple[float, ...]]()
    for at in rng.permutation(len(known))[:images]:
        target = str(rng.choice([name for name in names if name != known[at].name]))
        pixels, words = backend.prepare(known[at].picture).numpy(), candidate_words(target)
        ask = [LabelSearch(pixels, texts, names.index(target), words, seed=int(at), method=way) for way in WAYS]
        trials = [[step for step in search(backend, one) if isinstance(step, Trial)][-1] for one in ask]
        covers.append(tuple(one.cover if one.success else WHOLE for one in trials))
        seconds, done = time.monotonic() - began, len(covers)
        print(Progress.timed(done, images, "images", seconds=seconds, computed=done).line, file=sys.stderr)
    rows = np.array(covers)
    medians, ratio = np.median(rows, axis=0), bootstrap(rows, _ratio, rng=seed)
    answer: dict[str, Any] = {"model": model, "images": len(rows), "seed": seed}
    answer |= dict(zip(WAYS, medians.tolist(), strict=True)) | {"never": (rows == WHOLE).sum(axis=0).tolist()}
    answer |= {"ratio": ratio.value, "low": ratio.low, "high": ratio.high}
    typer.echo(json.dumps(answer))


def _ratio(rows: NDArray[Any]) -> float:
    """The median of the first column by that of the second."""
    searched, drawn = np.median(rows, axis=0)
    return float(searched / drawn)


if __name__ == "__main__":
    typer.run(main)
