"""Shares and differences as text, with their intervals."""

from __future__ import annotations

from workbench.statistics.intervals import Interval


def percent(share: Interval) -> str:
    """Return a share with its interval: "81.2 % (78.9 to 83.4)"."""
    if share.value is None or share.low is None or share.high is None:
        return "" if share.value is None else f"{100 * share.value:.1f} %"
    return f"{100 * share.value:.1f} % ({100 * share.low:.1f} to {100 * share.high:.1f})"


def as_points(change: Interval) -> str:
    """Return a difference of shares in points: "−3.2 (−5.0 to −1.4)"."""
    if change.value is None or change.low is None or change.high is None:
        return ""
    return f"{100 * change.value:+.1f} ({100 * change.low:+.1f} to {100 * change.high:+.1f})".replace("-", "−")
