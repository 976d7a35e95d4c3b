"""Find the smallest label that makes a model answer a chosen name: words, places, sizes and fonts, within a budget.

Bayesian optimisation: a Gaussian process through the margins measured so far says which smaller labels may still win
(Thompson sampling). `random` draws everything, to be compared with.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from workbench.errors import BadInput
from workbench.progress import Progress
from workbench.typographic.lettering import FONTS, Label, extent, fit
from workbench.typographic.writing import covered, write

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.backend import TowerEncoder

BATCH = 8  # labels that are tried together: with 16, the smallest covers were a tenth larger at equal calls
CALLS = 256  # model calls of a search
SIZES = (0.03, 0.42)  # of the letters, share of the side
FIRST = 0.16  # size at which words are screened
PARENTS = 4
CANDIDATES = 320  # of each batch
NEAR, NEAR_SIZE, NOISE = 0.3, 0.6, 0.01  # of the Gaussian process: shares of the side, log size, variance


@dataclass(frozen=True)
class LabelSearch:
    """What is searched: plain data."""

    pixels: NDArray[np.uint8]  # (3, size, size), prepared
    texts: NDArray[np.float32]  # (names, dim), unit rows
    target: int  # row of `texts`
    words: tuple[str, ...]  # to choose from
    fonts: tuple[str, ...] = tuple(FONTS)
    style: Label = Label("x")  # noqa: RUF009 - frozen; ink, paper and form of every label
    calls: int = CALLS
    seed: int = 0
    method: Literal["guided", "random"] = "guided"


@dataclass(frozen=True)
class Trial:
    """One label that was tried."""

    label: Label
    cover: float  # share of the square, 0..1
    answer: int  # row of `texts` that won
    margin: float  # cosine of the target minus the best other
    calls: int = 0  # model calls until it was tried

    @property
    def success(self) -> bool:
        """Whether the target won."""
        return self.margin > 0


def candidate_words(target: str) -> tuple[str, ...]:
    """Return what may be written for a target: its name, its words, their beginnings, in lower and upper case.

    Raises:
        BadInput: a target without letters.
    """
    parts = [part for part in target.split() if part]
    if not parts:
        raise BadInput("A target has at least one letter.")
    shorter = [part[:length] for part in parts for length in (3, 4, 5) if len(part) > length]
    return tuple(dict.fromkeys([target, *parts, target.upper(), *(part.upper() for part in parts), *shorter]))


def search(model: TowerEncoder, request: LabelSearch) -> Iterator[Progress | Trial]:
    """Yield progress after each batch, and at the end the best trial: the smallest success, or the nearest miss.

    Raises:
        BadInput: no word, fewer than two names, or a budget below one batch.
    """
    if not request.words or len(request.texts) < 2 or request.calls < BATCH:
        raise BadInput(f"A search needs a word, two names and a budget of {BATCH} model calls or more.")
    rng, tried, began = np.random.default_rng(request.seed), list[Trial](), time.monotonic()
    while len(tried) < request.calls:
        count = min(BATCH, request.calls - len(tried))
        labels = (
            _random(request, rng, count) if request.method == "random" else _guided(request, rng, tried, count=count)
        )
        tried += _try(model, request, labels, before=len(tried))
        yield Progress.timed(
            len(tried), request.calls, "model calls", seconds=time.monotonic() - began, computed=len(tried)
        )
    yield best(tried)


def best(tried: Sequence[Trial]) -> Trial:
    """Return the success that covers least; where nothing succeeded, the trial with the largest margin."""
    return min(tried, key=lambda one: (not one.success, one.cover if one.success else -one.margin))


def _try(model: TowerEncoder, request: LabelSearch, labels: Sequence[Label], *, before: int) -> list[Trial]:
    import torch
    from PIL import Image

    picture = Image.fromarray(request.pixels.transpose(1, 2, 0))
    drawn = [np.asarray(write(picture, [label])).transpose(2, 0, 1) for label in labels]
    rows = model.encode_pixels(torch.from_numpy(np.stack(drawn))).numpy()
    cosines = rows @ request.texts.T
    others = np.delete(cosines, request.target, axis=1).max(axis=1)
    return [
        Trial(
            label,
            covered(picture.size, [label]),
            int(cosines[at].argmax()),
            float(cosines[at, request.target] - others[at]),
            before + at + 1,
        )
        for at, label in enumerate(labels)
    ]


def _random(request: LabelSearch, rng: np.random.Generator, count: int) -> list[Label]:
    low, high = np.log(SIZES)
    return [
        replace(
            request.style,
            text=str(rng.choice(request.words)),
            font=str(rng.choice(request.fonts)),
            x=float(rng.uniform(0.1, 0.9)),
            y=float(rng.uniform(0.1, 0.9)),
            size=float(np.exp(rng.uniform(low, high))),
        )
        for _ in range(count)
    ]


def _guided(request: LabelSearch, rng: np.random.Generator, tried: Sequence[Trial], *, count: int) -> list[Label]:
    """Screen the words first; then, of many candidates, take those that a sample of the model of margins prefers."""
    if len(tried) < len(request.words):
        first = _random(request, rng, count)
        words = [request.words[(len(tried) + at) % len(request.words)] for at in range(count)]
        return [replace(label, text=word, size=FIRST) for label, word in zip(first, words, strict=True)]
    wins = [one.cover for one in tried if one.success]
    limit = min(wins, default=1.0)
    far = CANDIDATES // (8 if wins and 2 * len(tried) > request.calls else 2)  # in the end, near what has won
    candidates = [*_random(request, rng, far), *_varied(request, rng, tried)]
    sides = request.pixels.shape[1]
    covers = np.array([_cover(label, sides) for label in candidates])
    smaller = np.flatnonzero(covers < limit)
    if len(smaller) < count:
        return _varied(request, rng, tried)[:count]
    candidates, covers = [candidates[at] for at in smaller], covers[smaller]
    chosen = []
    for margins in _sampled(tried, candidates, rng, count):
        order = np.lexsort((-margins, np.where(margins > 0, covers, np.inf)))  # smallest that may win, else the nearest
        chosen.append(next(int(at) for at in order if int(at) not in chosen))
    return [candidates[at] for at in chosen]


def _varied(request: LabelSearch, rng: np.random.Generator, tried: Sequence[Trial]) -> list[Label]:
    """Move and resize the smallest successes and the nearest misses, some with another font or word."""
    wins = sorted((one for one in tried if one.success), key=lambda one: one.cover)[:PARENTS]
    misses = sorted((one for one in tried if not one.success), key=lambda one: -one.margin)[:PARENTS]
    parents = [*wins, *wins, *misses]
    labels = []
    for _ in range(CANDIDATES // 2):
        label = parents[int(rng.integers(len(parents)))].label
        label = replace(
            label,
            size=float(np.clip(label.size * np.exp(rng.normal(-0.08, 0.15)), *SIZES)),
            x=float(np.clip(label.x + rng.normal(0, 0.05), 0.02, 0.98)),
            y=float(np.clip(label.y + rng.normal(0, 0.05), 0.02, 0.98)),
        )
        label = replace(label, font=str(rng.choice(request.fonts))) if rng.random() < 0.25 else label
        labels.append(replace(label, text=str(rng.choice(request.words))) if rng.random() < 0.25 else label)
    return labels


def _cover(label: Label, side: int) -> float:
    """About the share that a label covers, without drawing it."""
    width, height = extent(*fit(label, side))
    return (width + 1) * (height + 1) / side**2


def _sampled(
    tried: Sequence[Trial], candidates: Sequence[Label], rng: np.random.Generator, count: int
) -> NDArray[np.float64]:
    """Draw margins of candidates, (count, candidates), from a Gaussian process through those that were measured."""
    measured = np.array([one.margin for one in tried])
    middle, spread = measured.mean(), max(float(measured.std()), 1e-6)
    known = [one.label for one in tried]
    inner = _alike(known, known) + NOISE * np.eye(len(known))
    across = _alike(candidates, known)
    weights = np.linalg.solve(inner, across.T)  # (known, candidates)
    mean = weights.T @ ((measured - middle) / spread)
    rest = _alike(candidates, candidates) - across @ weights
    root = np.linalg.cholesky(rest + 1e-5 * np.eye(len(candidates)))
    draws = mean + rng.normal(size=(count, len(candidates))) @ root.T
    margins: NDArray[np.float64] = middle + spread * draws
    return margins


def _alike(first: Sequence[Label], second: Sequence[Label]) -> NDArray[np.float64]:
    """Covariance of margins, by place, size, word and font: (first, second), 1 for the same label."""
    a, b = (
        np.array([(one.x / NEAR, one.y / NEAR, np.log(one.size) / NEAR_SIZE) for one in row]) for row in (first, second)
    )
    distance = ((a[:, None] - b[None]) ** 2).sum(axis=2)
    words = np.array([one.text for one in first])[:, None] == np.array([one.text for one in second])
    fonts = np.array([one.font for one in first])[:, None] == np.array([one.font for one in second])
    alike: NDArray[np.float64] = np.exp(-distance / 2) * np.where(words, 1.0, 0.4) * np.where(fonts, 1.0, 0.7)
    return alike
