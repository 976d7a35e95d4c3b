"""Requirements: three states from an interval, and no code in them."""

from __future__ import annotations

import pytest

from audits.comparing.expression import parse
from workbench.errors import BadInput


@pytest.mark.parametrize(
    ("require", "interval", "outcome"),
    [
        ("ci_high <= 0.01", (0.002, 0.004, 0.008), "PASS"),  # wholly inside
        ("ci_high <= 0.01", (0.011, 0.02, 0.03), "FAIL"),  # wholly outside
        ("ci_high <= 0.01", (0.005, 0.009, 0.02), "INCONCLUSIVE"),  # straddles, though the value is inside
        ("ci_high <= 0.01", (0.005, 0.015, 0.02), "INCONCLUSIVE"),  # straddles, and the value is outside
        ("ci_high <= 0.01", (0.0, 0.005, 0.01), "PASS"),  # touches
        ("ci_high < 0.01", (0.0, 0.005, 0.01), "INCONCLUSIVE"),
        ("ci_low >= 0.9", (0.91, 0.95, 0.97), "PASS"),
        ("ci_low >= 0.9", (0.7, 0.8, 0.89), "FAIL"),
        ("ci_low >= 0.9", (0.89, 0.95, 0.97), "INCONCLUSIVE"),
        ("ci_low > 0.9", (0.9, 0.95, 0.97), "INCONCLUSIVE"),
        ("ci_low <= 0.1", (0.05, 0.2, 0.3), "PASS"),  # not shown to be above
        ("ci_low <= 0.1", (0.15, 0.2, 0.3), "FAIL"),
        ("value <= 0.3", (0.1, 0.31, 0.5), "FAIL"),  # a point rule looks at no interval
        ("value <= 0.3", (0.1, 0.30, 0.5), "PASS"),
        ("value >= -1e-2", (-0.3, -0.005, 0.2), "PASS"),
        ("ci_low <= null_q95", (0.1, 0.2, 0.3), "PASS"),  # null_q95 is 0.15
        ("value <= null_mean", (0.1, 0.2, 0.3), "FAIL"),  # null_mean is 0.05
    ],
)
def test_outcomes(require: str, interval: tuple[float, float, float], outcome: str) -> None:
    low, value, high = interval
    numbers = {"value": value, "ci_low": low, "ci_high": high, "null_mean": 0.05, "null_q95": 0.15}
    assert parse(require).judge(numbers) == outcome


def test_what_is_not_there_is_no_outcome() -> None:
    assert parse("ci_high <= 0.1").judge({"value": 0.5, "ci_low": None, "ci_high": None}) is None
    assert parse("value <= null_q95").judge({"value": 0.5, "null_q95": None}) is None


def test_paired() -> None:
    output = parse("paired.ci_low >= -0.01")
    assert (output.paired, output.column, output.bound) == (True, "ci_low", -0.01)
    assert str(output) == "paired.ci_low >= -0.01"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ci_high",
        "ci_high = 0.1",
        "ci_high == 0.1",
        "p_adj <= 0.05",
        "__import__('os') <= 1",
        "ci_high <= nan",
        "ci_high <= inf",
        "ci_high <= value",
        "ci_high <= 1e",
        "0.1 >= ci_high",
        "ci_high <= 0.1 or value <= 1",
        "paired.paired.value <= 1",
        "ci_high <= " + "1" * 500,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"requirement|bound"):
        parse(text)
