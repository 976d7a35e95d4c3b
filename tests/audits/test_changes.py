"""The table and the chart of what remedies change, from numbers that are chosen here."""

from __future__ import annotations

import pytest

from audits import measuring
from audits.changes import CHANGE, changes_table, gain_and_cost, outcomes_of
from workbench.statistics.measures import Measure

IMAGES = list("abcdefgh")


def changed(metric: str, before: list[float], after: list[float], way: str) -> Measure:
    return measuring.change(metric, before, after, cluster=IMAGES, label_set=way)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_bias_that_shrinks_is_a_gain_and_right_answers_lost_are_a_cost(sign: int) -> None:
    bias, right = [0.4 * sign, 0.6 * sign] * 4, [1.0] * 8
    measures = [
        changed("bias", [0.0] * 8, bias, "as it is"),
        changed("bias" + CHANGE, bias, [one / 2 for one in bias], "halved"),
        changed("right" + CHANGE, right, [1.0] * 6 + [0.0] * 2, "halved"),
        changed("bias" + CHANGE, bias, [one * 1.2 for one in bias], "worse"),
    ]
    outcomes = outcomes_of(measures)
    assert list(outcomes) == ["as it is", "halved", "worse"]
    points = gain_and_cost(outcomes, "bias", "right", names={"bias": "bias", "right": "right answers"}).data
    halved, worse = (points.set_index("series").loc[name] for name in ("halved", "worse"))
    assert (halved["value"], halved["x"]) == (pytest.approx(0.25), pytest.approx(25))
    assert (worse["value"], worse["x"]) == (pytest.approx(-0.1), 0)
    assert halved["low"] < 0.25 < halved["high"]

    table = changes_table(outcomes, {"bias": "bias", "right": "right answers"}, way="remedy").set_index("remedy")
    assert table.loc["as it is", "bias"].startswith(f"{50 * sign:.1f} [")
    assert table.loc["halved", "bias"].startswith(f"{-25 * sign:+.1f} [")
    assert table.loc["worse", "right answers"] == "–"
