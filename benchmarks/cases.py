"""What is measured of one peer: throughput, embedding, first answer, growth with images, labels and templates.

A peer is a function from (images, labels, templates) to probabilities. Times are seconds, the best of the repeats,
since noise on a busy machine only adds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.material import LABELS, BenchmarkData
from workbench.prompts import SEVEN

if TYPE_CHECKING:
    from benchmarks.peers import Answer

TEMPLATES = SEVEN.templates


def throughput(answer: Answer, material: BenchmarkData, repeats: int = 3) -> dict[str, Any]:
    """Everything end to end, decoding and texts included: all pictures, 20 labels, 7 templates."""
    pictures = material.pictures
    first = timed(lambda: answer(pictures[:1], LABELS, TEMPLATES))
    best = min(timed(lambda: answer(pictures, LABELS, TEMPLATES)) for _ in range(repeats))
    probabilities = answer(pictures[:4], LABELS, TEMPLATES[:1])
    return {
        "pictures_per_s": len(pictures) / best,
        "seconds": best,
        "first_answer_s": first,
        "probabilities": probabilities.tolist(),
    }


def embedding(answer: Answer, material: BenchmarkData, repeats: int = 3) -> dict[str, Any]:
    """Image files to embeddings, with one known text: decoding and the image tower, nothing else to speak of."""
    pictures = material.pictures
    answer(pictures[:8], LABELS[:1], TEMPLATES[:1])
    best = min(timed(lambda: answer(pictures, LABELS[:1], TEMPLATES[:1])) for _ in range(repeats))
    return {"pictures_per_s": len(pictures) / best, "seconds": best}


def growth(answer: Answer, material: BenchmarkData, repeats: int = 2) -> dict[str, Any]:
    """Seconds as pictures, labels and templates grow, one at a time."""
    pictures = material.pictures
    words = [f"{label} {number}" for number in range(10) for label in LABELS]  # 200 distinct labels
    answer(pictures[:1], LABELS[:2], TEMPLATES[:1])

    def best(n: int, k: int, t: int) -> float:
        return min(timed(lambda: answer(pictures[:n], words[:k], TEMPLATES[:t])) for _ in range(repeats))

    return {
        "pictures": {n: best(n, 20, 1) for n in (1, 8, 64)},
        "labels": {k: best(8, k, 1) for k in (2, 20, 200)},
        "templates": {t: best(8, 20, t) for t in (1, 3, 7)},
    }


def timed(work: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def quantile(values: Sequence[float], q: float) -> float:
    """The value below which a share q of the sorted values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


CASES: dict[str, Callable[..., dict[str, Any]]] = {"throughput": throughput, "embedding": embedding, "growth": growth}
