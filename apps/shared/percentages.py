"""Shares and differences as text, with their intervals."""

from __future__ import annotations

from workbench.statistics.intervals import Interval


def percent(share: Interval, *, missing: str | None = None, sign: str = "") -> str:
    """Return a share with its interval: "81.2 % (78.9 to 83.4)".

    Args:
        share: of 0..1.
        missing: what stands for a share without a value or an interval; None shows the value alone, or nothing.
        sign: "+" for differences.
    """
    if share.value is None or share.low is None or share.high is None:
        alone = "" if share.value is None else f"{100 * share.value:{sign}.1f} %"
        return alone if missing is None else missing
    value, low, high = (f"{100 * part:{sign}.1f}" for part in (share.value, share.low, share.high))
    return f"{value} % ({low} to {high})"


def as_points(change: Interval) -> str:
    """Return a difference of shares in points: "−3.2 (−5.0 to −1.4)"."""
    if change.value is None or change.low is None or change.high is None:
        return ""
    return f"{100 * change.value:+.1f} ({100 * change.low:+.1f} to {100 * change.high:+.1f})".replace("-", "−")
