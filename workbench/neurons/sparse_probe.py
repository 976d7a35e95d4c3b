"""Which few units decide a class: probes on 1, 2, 4, 8 and 16 units, beside one on all units and one by chance.

Units are chosen greedily: the next one is that whose weight would lower the loss fastest. The probe is scikit-learn's
logistic regression. Choosing and fitting see the training images alone; every figure is about the held-out ones.

Source:
    Gurnee et al. 2023, arXiv:2305.01610 (sparse probing).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadInput, unknown_name
from workbench.neurons.activations import Looking, Survey, join, survey
from workbench.neurons.corpus import CorpusItem
from workbench.progress import Progress
from workbench.statistics.intervals import Interval, Share, auroc, proportion

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

    from workbench.probes.labelled import LabelledImages

COUNTS = (1, 2, 4, 8, 16)
SHUFFLES = 10
FEWEST = 4  # images of a class, and of others, in training and among the held-out


@dataclass(frozen=True)
class SparseProbeRow:
    """A probe on some units, on images held out."""

    units: tuple[int, ...]  # in the order in which they were chosen; empty for all
    weights: tuple[float, ...]  # of activations in standard deviations
    accuracy: Share  # of the class's images and as many others, drawn by the seed: those told right; 0.5 is chance
    area: Interval  # area under the ROC curve on all held-out images


@dataclass(frozen=True)
class SparseProbe:
    """Probes for one class of a layer."""

    name: str
    layer: str
    rows: tuple[SparseProbeRow, ...]  # one a count of units
    every_unit: SparseProbeRow
    by_chance: tuple[float, ...]  # accuracies of the largest count, each learned from classes shuffled anew
    images: int  # of the class
    others: int
    held_out: int  # of all of them
    seed: int


class LabelledUnits(NamedTuple):
    """Activations of labelled images."""

    layer: str
    values: NDArray[np.float32]  # (n, units)
    classes: tuple[str, ...]
    y: NDArray[np.intp]  # (n,) numbers of classes
    train: NDArray[np.bool_]  # (n,)
    seed: int  # of the parts


def labelled_units(
    model: Looking, images: LabelledImages, layer: str, *, check: Callable[[], None] = lambda: None
) -> Iterator[Progress | LabelledUnits]:
    """Stream labelled images through the image tower; yields progress, and the activations at the end.

    Args:
        model: a session or a loaded model.
        images: their parts "train" and "validation" are trained on; "test" is held out.
        layer: a name in the anatomy's layers, or "last".
        check: called while waiting; may raise to stop.

    Raises:
        BadInput: no image could be opened.
        UnknownName, Unsupported: the tower has no such layer, or none at all.
    """
    items = [CorpusItem(str(number), "file") for number in range(len(images.samples))]
    parts: list[Survey] = []
    steps = survey(
        model, items, layer, check=check, opened=lambda item: images.samples[int(item.key)].open()
    )  # fmt: skip
    for step in steps:
        if isinstance(step, Survey):
            parts.append(step)
        else:
            yield step
    seen = join(parts)
    places = [int(item.key) for item in seen.items]
    train = images.rows("train", "validation")[places]
    yield LabelledUnits(seen.layer, seen.values, images.classes, images.y[places], train, images.seed)


def enough(units: LabelledUnits, name: str) -> bool:
    """Return whether a class and the others have the images that a probe needs, to train on and held out."""
    return min(count for pair in _counts(units, name) for count in pair) >= FEWEST


def sparse_probe(units: LabelledUnits, name: str, *, counts: Sequence[int] = COUNTS, seed: int = 0) -> SparseProbe:
    """Tell one class from all others by few units.

    Args:
        units: activations of labelled images.
        name: the class.
        counts: numbers of units, rising.
        seed: of the draw that evens classes out, and of the shuffles.

    Raises:
        UnknownName: no such class.
        BadInput: fewer than four images of the class, or of others, to train on or held out; counts that cannot be.
    """
    if name not in units.classes:
        raise unknown_name("class", name, units.classes)
    width = units.values.shape[1]
    counts = tuple(sorted({min(int(count), width) for count in counts}))
    if not counts or counts[0] < 1:
        raise BadInput(f"A sparse probe takes one unit or more; got {list(counts)}.")
    shows = units.y == units.classes.index(name)
    for part, (own, others) in zip(("to train on", "held out"), _counts(units, name), strict=True):
        if min(own, others) < FEWEST:
            raise BadInput(
                f"A probe needs at least {FEWEST} images of {name!r} and of others {part}; got {own} and {others}."
            )
    rows = units.values.astype(np.float64)
    mean, spread = rows[units.train].mean(axis=0), rows[units.train].std(axis=0)
    rows = np.where(spread > 1e-9, (rows - mean) / np.where(spread > 1e-9, spread, 1), 0)
    held_out, truth = rows[~units.train], shows[~units.train]
    even = _evened(truth, seed)
    order = chosen_units(rows[units.train], shows[units.train], count=counts[-1])

    def measured(chosen: Sequence[int], answers: NDArray[np.bool_]) -> SparseProbeRow:
        model = _fitted(rows[units.train][:, chosen], answers)
        scores = model.decision_function(held_out[:, chosen])
        right = (scores > 0)[even] == truth[even]
        return SparseProbeRow(
            tuple(int(unit) for unit in chosen),
            tuple(float(weight) for weight in model.coef_[0]),
            proportion(int(right.sum()), len(right)),
            auroc(scores, truth),
        )

    every, generator, by_chance = measured(range(width), shows[units.train]), np.random.default_rng(seed), []
    for _ in range(SHUFFLES):
        mixed = generator.permutation(shows[units.train])
        row = measured(chosen_units(rows[units.train], mixed, count=counts[-1]), mixed)
        by_chance.append(float(row.accuracy.value or 0.0))
    return SparseProbe(
        name,
        units.layer,
        tuple(measured(order[:count], shows[units.train]) for count in counts),
        replace(every, units=(), weights=()),
        tuple(by_chance),
        int(shows.sum()),
        int((~shows).sum()),
        int((~units.train).sum()),
        seed,
    )


def chosen_units(rows: NDArray[np.float64], shows: NDArray[np.bool_], *, count: int) -> list[int]:
    """Choose units greedily by the slope of the balanced log loss.

    Args:
        rows: (n, units) activations in standard deviations.
        shows: (n,) whether an image is of the class.
        count: units to choose.
    """
    weight = np.where(shows, 0.5 / max(shows.sum(), 1), 0.5 / max((~shows).sum(), 1))
    likely = np.full(len(rows), 0.5)
    chosen: list[int] = []
    for _ in range(min(count, rows.shape[1])):
        slope = np.abs(rows.T @ (weight * (shows - likely)))
        slope[chosen] = -1
        chosen.append(int(slope.argmax()))
        model = _fitted(rows[:, chosen], shows)
        likely = model.predict_proba(rows[:, chosen])[:, 1]
    return chosen


def _counts(units: LabelledUnits, name: str) -> list[tuple[int, int]]:
    """Images of a class and of others to train on, then held out."""
    shows = units.y == units.classes.index(name)
    return [(int(shows[where].sum()), int((~shows)[where].sum())) for where in (units.train, ~units.train)]


def _fitted(rows: NDArray[np.float64], shows: NDArray[np.bool_]) -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(class_weight="balanced", max_iter=1000).fit(rows, shows)


def _evened(truth: NDArray[np.bool_], seed: int) -> NDArray[np.intp]:
    """Return places of as many images of the class as of others, drawn by the seed."""
    generator, size = np.random.default_rng(seed), min(int(truth.sum()), int((~truth).sum()))
    parts = [generator.permutation(np.flatnonzero(truth == value))[:size] for value in (True, False)]
    return np.sort(np.concatenate(parts))
