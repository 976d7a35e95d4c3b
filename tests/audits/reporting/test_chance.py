"""What chance gives stands beside a value on the side where extreme values lie."""

from __future__ import annotations

import pytest

from audits.reporting._tables import _chance


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"unit": "nats", "null_mean": 0.31, "null_q95": 0.49}, "95 % below"),
        ({"unit": "nats", "null_mean": -0.4, "null_q95": -0.9}, "95 % above"),  # MinSkew: the 5th percentile
        ({"unit": "nats", "null_mean": None, "null_q95": 0.49}, "below"),
        ({"unit": "nats", "null_mean": 0.31, "null_q95": None}, ""),
    ],
)
def test_the_bound_of_chance_is_named_by_its_side(row: dict[str, object], text: str) -> None:
    assert text in _chance(row)
    assert ("above" in _chance(row)) == ("above" in text)
