"""`python -m benchmarks.cut FOLDER`: where Search ends a list, measured with photos in folders named by their class.

Each class that has two photos or more is a query by its name. Half of the names are those that the rule was chosen on
("choose"), the others report it. Names of other kinds, which the folder has no photos of, should find nothing.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from workbench.engine import Engine
from workbench.images import safe_open
from workbench.neurons.vocabulary import common_words, vocabulary
from workbench.retrieval.chance import Chance
from workbench.retrieval.query import parse_query
from workbench.retrieval.rivals import rivals
from workbench.retrieval.stock import stock_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.engine import Session

BATCH, ABSENT = 64, 100  # photos at a time; names without photos that are asked, of each half
HALVES = ("choose", "report")
KINDS = [word.lower() for word in vocabulary() if word not in common_words()]
RULES = ("deviations alone", "with near kinds", "best cut of the ranking")


def main(
    folder: Annotated[Path, typer.Argument(help="Folders of photos, named by their class.")],
    *,
    names: Annotated[Path | None, typer.Option(help="CSV of folder and name, where folders have other names.")] = None,
    each: Annotated[int, typer.Option(help="Photos of a class, in the order of their names.")] = 20,
    model: Annotated[str, typer.Option(help="Key of the model.")] = "pocket",
) -> None:
    """Print precision, recall and F1 (means over queries) as JSON, and how many absent names find nothing."""
    given = dict(csv.reader(names.open(encoding="utf-8"))) if names else {}
    files = [
        (path, given.get(place.name, place.name))
        for place in sorted(folder.iterdir())
        for path in sorted(place.iterdir())[:each]
    ]
    labels = np.array([name for _, name in files])
    known = Counter(labels)
    with Engine(device="cpu", dtype="float32") as engine, engine.session("benchmark", model) as session:
        batches = (files[at : at + BATCH] for at in range(0, len(files), BATCH))
        images = np.concatenate(
            [session.embed_images([safe_open(path) for path, _ in part]).numpy() for part in batches]
        )
        scores: dict[str, Any] = {"photos": len(files)}
        for number, half in enumerate(HALVES):
            queries = [name for name in known if known[name] > 1 and _half(name) == number]
            absent = [name for name in KINDS if name not in known and _half(name) == number][:ABSENT]
            rows = np.array([_measured(session, images, name, labels == name) for name in queries])
            empty = [not _kept(session, images, name)[1].any() for name in absent]
            scores[half] = {"queries": len(queries), "absent": len(absent), "absent that find nothing": np.mean(empty)}
            for at, rule in enumerate(RULES):
                precision, recall, f1 = np.nanmean(rows[:, at], axis=0)
                scores[half][rule] = {"precision": precision, "recall": recall, "f1": f1}
    typer.echo(json.dumps(scores, indent=1, default=float))


def _half(name: str) -> int:
    return hashlib.sha256(name.encode()).digest()[0] % 2


def _kept(session: Session, images: NDArray[np.float32], name: str) -> tuple[Any, Any, Any]:
    """Return which images the deviations alone keep, which the whole rule keeps, and all cosines."""
    chance = Chance(stock_vectors(session), rivals=rivals(session, parse_query(name)))
    cosines = images @ session.embed_texts([name]).numpy()[0]
    deviations = chance.measure(images, cosines, cosines)[1]
    return deviations >= chance.cut, chance.likely(images, cosines, deviations), cosines


def _measured(session: Session, images: NDArray[np.float32], name: str, right: NDArray[np.bool_]) -> list[list[float]]:
    """Return precision (NaN where nothing is shown), recall and F1 by each of `RULES`."""
    alone, whole, cosines = _kept(session, images, name)
    order = np.argsort(-cosines)
    f1 = 2 * np.cumsum(right[order]) / (np.arange(1, len(order) + 1) + right.sum())
    best = np.zeros(len(order), bool)
    best[order[: int(f1.argmax()) + 1]] = True
    rows = []
    for shown in (alone, whole, best):
        hits = float((shown & right).sum())
        rows.append(
            [hits / shown.sum() if shown.any() else np.nan, hits / right.sum(), 2 * hits / (shown.sum() + right.sum())]
        )
    return rows


if __name__ == "__main__":
    typer.run(main)
