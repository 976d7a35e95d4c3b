"""P-values that resampling gives, and how any p-value is written: "≤ 0.0005" where no resample is as extreme."""

from __future__ import annotations

LEAST = 1e-4  # smaller ones are written as "< 0.0001"


class UpperBound(float):
    """A p-value that is the smallest one that so many resamples can give: the true one may be smaller."""


def resampled(hits: int, resamples: int) -> float:
    """Return (1 + hits) / (1 + resamples), where `hits` resamples are as extreme as what was seen.

    Source:
        Davison and Hinkley 1997, Bootstrap Methods and their Application, section 4.2.
    """
    share = (1 + int(hits)) / (1 + int(resamples))
    return share if hits else UpperBound(share)


def written(p: float, *, bound: bool = False) -> str:
    """Write a p-value with its sign and two significant digits: "= 0.012", "≤ 0.0005", "< 0.0001".

    `bound` says of a p-value after correction that it was an upper bound.
    """
    if p < LEAST:
        return f"< {LEAST:.4f}"
    digits = f"{p:.2g}" if p < 0.1 else f"{p:.2f}"
    return f"{'≤' if bound or isinstance(p, UpperBound) else '='} {digits}"
