"""Numbers have the digits that their intervals support."""

from __future__ import annotations

import pytest

from audits.reporting._numbers import MISSING, count, p_value, written


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "shown"),
    [
        (0.725, 0.6652, 0.7776, "share", "72 % (67 to 78 %)"),  # 11 points wide: whole per cents
        (0.01414, 0.00935, 0.02132, "share", "1.4 % (0.9 to 2.1 %)"),  # 22 of 1556, Wilson: 1.2 points wide
        (0.0, 0.0, 0.002430, "share", "0.00 % (0.00 to 0.24 %)"),  # 0 of 1516: a quarter of a point wide
        (-0.0004, -0.0310, 0.0302, "difference", "0.0 points (−3.1 to 3.0 points)"),  # no "−0.0"
        (0.31, 0.1, 0.52, "nats", "0.31 nats (0.10 to 0.52 nats)"),
        (1234.5, 1000.0, 1500.0, "", "1234 (1000 to 1500)"),
        (0.123456, None, None, "share", "12.3 %"),  # no interval: three significant digits
        (12345.678, None, None, "", "12,346"),
        (None, None, None, "share", MISSING),
        (float("nan"), 0.1, 0.2, "share", MISSING),
    ],
)
def test_digits_follow_the_interval(value: object, low: object, high: object, unit: str, shown: str) -> None:
    assert written({"value": value, "ci_low": low, "ci_high": high, "unit": unit}).text == shown


@pytest.mark.parametrize(
    ("p", "shown"), [(None, ""), (0.00004, "< 0.0001"), (0.000244, "0.00024"), (0.0437, "0.044"), (0.5, "0.50")]
)
def test_p_values(p: float | None, shown: str) -> None:
    assert p_value(p) == shown


def test_the_smallest_p_of_resamples_is_written_as_a_bound() -> None:
    assert (p_value(0.0005, "small_n|least_p"), p_value(0.0005, "small_n")) == ("≤ 0.0005", "0.0005")


def test_counts() -> None:
    assert (count(1234567), count(None), count(0)) == ("1,234,567", "", "0")
