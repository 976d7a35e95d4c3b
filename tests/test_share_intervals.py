"""One interval of a share in the whole project: 20 of 20 is 83.2 to 100 % wherever it is shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from apps.classify.evaluation import class_rows, scored
from apps.learn.lesson import course_rows
from audits import measuring, metrics
from audits.frame import AuditFrame
from workbench.batch.run import Row
from workbench.batch.truth import evaluate
from workbench.statistics import calibration, intervals, measures
from workbench.training import checking, miniature, run
from workbench.training.miniature import Moment

ROOT = Path(__file__).parents[1]
EXACT = 0.025 ** (1 / 20)  # Clopper and Pearson's lower end where all of 20 succeed, in closed form: 0.8316
NAMES = [str(at) for at in range(20)]
SAMPLES = pd.DataFrame(
    {"sample_id": NAMES, "cluster": NAMES, "outcome:accuracy": 1.0, "value": 1.0, "label_set": "all"}
)


def batch() -> tuple[float, float]:
    rows = tuple(Row(f"{at}.png", ranked=(("cat", 0.9, 0.3), ("dog", 0.1, 0.2))) for at in range(20))
    evaluation = evaluate(rows, {row.file: "cat" for row in rows}, ("cat", "dog"))
    assert "83.2 to 100.0 %, n = 20, Clopper-Pearson" in scored(evaluation).replace("\\", "")
    assert class_rows(evaluation) == [["cat", 20, 1.0, 0.8316, 1.0]]
    return evaluation.accuracy.low, evaluation.accuracy.high


def learn() -> tuple[float, float]:
    share = miniature.proportion(20, 20)
    assert course_rows([Moment(1, 1, 1.0, 14.0, None, share)])[0][2] == "100 % (83 to 100 %)"
    return share.low, share.high


def frame() -> tuple[float, float]:
    cases = AuditFrame(
        metrics=metrics.accuracy, y_true=[1] * 40, y_pred=[1] * 40, sensitive_features=["a"] * 20 + ["b"] * 20
    )
    row = cases.ci("by_group").loc["a"]
    return row["low"], row["high"]


def bin_of_reliability() -> tuple[float, float]:
    row = calibration.reliability(np.full(20, 0.9), np.ones(20)).iloc[0]
    return row["low"], row["high"]


def of(measure: measures.Measure) -> tuple[float, float]:
    return measure.ci_low, measure.ci_high


ENTRIES: dict[str, Callable[[], tuple[float, float]]] = {
    "zero-shot and batch": batch,
    "learn": learn,
    "AuditFrame": frame,
    "reliability diagram": bin_of_reliability,
    "a measure": lambda: of(measures.share("accuracy", 20, 20)),
    "audits": lambda: of(measuring.share("accuracy", np.ones(20), NAMES)),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_twenty_of_twenty_has_one_interval(entry: str) -> None:
    assert ENTRIES[entry]() == (pytest.approx(EXACT, abs=5e-5), 1.0)


def test_training_takes_its_shares_from_there_too() -> None:
    assert {module.proportion for module in (run, checking, miniature)} == {intervals.proportion}


def test_nobody_else_works_out_the_interval_of_a_share() -> None:
    """One module calls statsmodels' intervals of shares."""
    users = {
        path.relative_to(ROOT).as_posix()
        for room in ("workbench", "audits", "apps", "benchmarks")
        for path in (ROOT / room).rglob("*.py")
        if "proportion_confint" in path.read_text(encoding="utf-8")
    }
    assert users == {"workbench/statistics/intervals.py"}
