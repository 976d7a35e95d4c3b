"""Two checkpoints on the same held-out pictures: how often only one of them is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.statistics.paired import compare
from workbench.training.pocket.quality.answers import QualityAnswer


def beside(own: Sequence[QualityAnswer], other: Sequence[QualityAnswer]) -> list[dict[str, Any]]:
    """Count hits case by case, for each question that both were asked about the same cases.

    Args:
        own: answers of this checkpoint, as `measure` gives them.
        other: those of the other one, in the same order.

    Returns:
        a row a question: `both`, `only_this`, `only_the_other` and `neither` add up to `n`; `difference` in -1..1 is
        this less the other, with its paired 95 % interval (Tango 1998).
    """
    rows = []
    for one, two in zip(own, other, strict=True):
        if len(one.hits) != len(two.hits):  # asked only of what each of them names
            continue
        paired = compare(two.hits, one.hits)
        both = sum(a and b for a, b in zip(one.hits, two.hits, strict=True))
        counts = {"both": both, "only_this": paired.gained, "only_the_other": paired.lost}
        counts["neither"] = paired.n - sum(counts.values())
        interval = paired.difference
        row = {"question": one.question, "how": one.how, "n": paired.n, **counts}
        rows.append({**row, "difference": interval.value, "low": interval.low, "high": interval.high})
    return rows
