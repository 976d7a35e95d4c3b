"""Published figures, rebuilt from the counts that were published with them, through the audits' own statistics."""

from __future__ import annotations

import numpy as np
import pytest

from audits import AuditFrame, metrics
from workbench.statistics.simpson import evidence, reversals

RECIDIVISM = {  # ProPublica 2016: (reoffended, scored medium or high) -> defendants
    "Black": {(0, 0): 990, (0, 1): 805, (1, 0): 532, (1, 1): 1369},
    "White": {(0, 0): 1139, (0, 1): 349, (1, 0): 461, (1, 1): 505},
}
ADMISSIONS = {  # Bickel, Hammel and O'Connell 1975, as in R's UCBAdmissions: (admitted, applied) in 1973
    "A": {"men": (512, 825), "women": (89, 108)},
    "B": {"men": (353, 560), "women": (17, 25)},
    "C": {"men": (120, 325), "women": (202, 593)},
    "D": {"men": (138, 417), "women": (131, 375)},
    "E": {"men": (53, 191), "women": (94, 393)},
    "F": {"men": (22, 373), "women": (24, 341)},
}


def test_propublicas_error_rates_by_group() -> None:
    """Published: false positives 44.9 and 23.5 %, false negatives 28.0 and 47.7 %."""
    cases = [(race, *pair) for race, table in RECIDIVISM.items() for pair, n in table.items() for _ in range(n)]
    race, true, scored = (list(column) for column in zip(*cases, strict=True))
    frame = AuditFrame(
        metrics={"fpr": metrics.false_positive_rate(), "fnr": metrics.false_negative_rate()},
        y_true=true,
        y_pred=scored,
        sensitive_features={"race": race},
    )
    rates = (100 * frame.by_group).round(1)
    assert rates["fpr"].to_dict() == {"Black": 44.8, "White": 23.5}  # 805 of 1795 is 44.85, printed as 44.9
    assert rates["fnr"].to_dict() == {"Black": 28.0, "White": 47.7}
    gaps = frame.test().query("test == 'gap'").set_index("metric")
    assert gaps.loc["fpr", "value"] == pytest.approx(805 / 1795 - 349 / 1488)
    assert (gaps["p_adj"] < 0.001).all()
    assert (gaps["low"] > 0).all()


def test_berkeleys_admissions_turn_round_within_departments() -> None:
    """Published: 44.5 % of men and 30.4 % of women; within departments p = 0.2323 (R's mantelhaen.test)."""
    totals = {sex: np.sum([table[sex] for table in ADMISSIONS.values()], axis=0) for sex in ("men", "women")}
    assert {sex: round(100 * k / n, 1) for sex, (k, n) in totals.items()} == {"men": 44.5, "women": 30.4}
    (turned,) = reversals(ADMISSIONS)
    assert (turned.higher, turned.lower) == ("men", "women")
    assert turned.standardised < 0
    crude, within = evidence(ADMISSIONS, "men", "women")
    assert crude < 1e-15
    assert within == pytest.approx(0.2323, abs=5e-5)
