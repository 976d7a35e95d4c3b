"""What slices could have shown: sizes by hand through statsmodels' power, siblings, clusters and conditions."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from statsmodels.stats.power import NormalIndPower

import audits
from audits import measuring
from audits.detectable import attributes_of, beside
from workbench.statistics.gaps import gap
from workbench.statistics.measures import Measure, of_gap, share, table


def _solved(n: int, others: int, base: float) -> float:
    """The power of a two-sided test of two shares on the arcsine scale, solved again for the smaller of both sides."""
    from scipy.optimize import brentq

    def lacking(other: float) -> float:
        h = abs(2 * math.asin(math.sqrt(other)) - 2 * math.asin(math.sqrt(base)))
        return float(NormalIndPower().power(h, n, 0.05, ratio=others / n)) - 0.8

    sides = [end for end in (0.0, 1.0) if lacking(end) > 0]
    return min(abs(brentq(lacking, end, base) - base) for end in sides)


def _by(measures: list[Measure]) -> dict[str, float | None]:
    return {",".join(one.slice.values()): one.detectable for one in measures}


def test_a_slice_is_held_against_the_others_with_its_own_size() -> None:
    rows = [share("rate", 40, 200), *(share("rate", k, n, slice={"race": name}) for name, k, n in _COUNTS)]
    result = _by(beside(rows, {"race"}))
    assert result.pop("") is None  # everybody is compared with nobody
    for name, _, n in _COUNTS:
        k_others, others = (sum(one[at] for one in _COUNTS if one[0] != name) for at in (1, 2))
        base = round(k_others / others, 3)
        assert result[name] == pytest.approx(_solved(n, others, base), rel=1e-4)


_COUNTS = [("large", 10, 120), ("middle", 20, 65), ("small", 10, 15)]


def test_a_part_that_is_no_attribute_is_held_fixed() -> None:
    """Two labels of two sides: each side is held against the other side's share of the same label."""
    counts = {("f", "nurse"): 50, ("m", "nurse"): 10, ("f", "tie"): 1, ("m", "tie"): 2}
    rows = [share("given", k, 100, slice={"side": side, "label": label}) for (side, label), k in counts.items()]
    result = _by(beside(rows, {"side"}))
    assert result["f,nurse"] == pytest.approx(_solved(100, 100, 0.10), rel=1e-4)
    assert result["m,nurse"] == pytest.approx(_solved(100, 100, 0.5), rel=1e-4)
    assert result["f,tie"] == pytest.approx(_solved(100, 100, 0.02), rel=1e-4)


def test_several_pictures_of_one_cluster_count_for_less() -> None:
    outcomes = [float(at % 10 < 4) for at in range(200)]
    alone, together = [str(at) for at in range(200)], [f"{at // 100}-{at % 10}" for at in range(200)]
    for names, n in ((alone, 100), (together, 9)):
        rows = [
            measuring.share("rate", outcomes[at : at + 100], names[at : at + 100], slice={"side": side})
            for side, at in (("f", 0), ("m", 100))
        ]
        assert rows[0].n_effective == n
        assert _by(beside(rows, {"side"}))["f"] == pytest.approx(_solved(n, n, 0.4), rel=1e-3)


def test_conditions_show_the_same_pictures_again() -> None:
    rows = [share("accuracy", 30, 60, slice={"severity": str(at)}) for at in range(1, 6)]
    assert _by(beside(rows, set()))["3"] == pytest.approx(_solved(60, 60, 0.5), rel=1e-4)  # and not 240 others


def test_gaps_means_and_lone_slices_have_none() -> None:
    counts = {"a": (10, 50), "b": (20, 50)}
    rows = [
        of_gap("rate", gap(counts, rng=0), slice_by="race"),
        share("rate", 0, 0, slice={"race": "a"}),
        share("other", 5, 50, slice={"race": "a"}),
    ]
    assert set(_by(beside(rows, {"race"})).values()) == {None}
    written = table(beside(rows, {"race"}))
    assert str(written["detectable"].dtype) == "Float64"
    assert str(written["n_effective"].dtype) == "Int64"


def test_attributes_are_what_stays_the_same_for_a_picture() -> None:
    rows = pd.DataFrame(
        {
            "sample_id": ["1", "1", "2", "2"],
            "label_set": ["a", "b"] * 2,
            "race": ["R", "R", "B", "B"],
            "severity": ["1", "2"] * 2,
            "y_pred": ["x"] * 4,
            "weight": [1.0] * 4,
        }
    )
    assert attributes_of(rows) == {"race"}


def test_a_frame_has_it_by_group_within_its_control_level() -> None:
    message = [1] * 30 + [0] * 70 + [1] * 50 + [0] * 50 + [1] * 300 + [0] * 100
    frame = audits.AuditFrame(
        metrics=audits.metrics.selection_rate(),
        y_true=[1] * 600,
        y_pred=message,
        sensitive_features={"sex": ["f"] * 100 + ["m"] * 100 + ["f"] * 200 + ["m"] * 200},
        control_features={"age": ["old"] * 200 + ["young"] * 400},
    )
    rows = frame.tidy().set_index("slice")
    assert rows.loc['{"age":"old","sex":"f"}', "detectable"] == pytest.approx(_solved(100, 100, 0.5), rel=1e-4)
    assert rows.loc['{"age":"young","sex":"m"}', "n_effective"] == 200
