"""The spread between seeds: its number and interval by another route, and its rows in a report."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audits import reporting, seed_spread
from audits.run_directory.reader import Run

Begin = Callable[..., Run]


def test_the_deviation_and_how_often_its_interval_covers() -> None:
    interval = seed_spread.spread_of([0.2, 0.3, 0.25, 0.4, 0.35])
    assert interval.value == pytest.approx(statistics.stdev([0.2, 0.3, 0.25, 0.4, 0.35]))
    rng = np.random.default_rng(0)
    bounds = [seed_spread.spread_of(rng.normal(0.5, 0.1, 5)) for _ in range(2000)]
    covered = [one.low < 0.1 < one.high for one in bounds if one.low is not None and one.high is not None]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


def test_a_number_that_no_seed_changes_has_no_interval() -> None:
    interval = seed_spread.spread_of([0.3, 0.3, 0.3])
    assert (interval.value, interval.low, interval.high) == (0.0, None, None)
    assert interval.method == "degenerate: equal for all 3 seeds"


def test_runs_that_differ_in_their_seed_alone_get_rows(begin: Begin, tmp_path: Path) -> None:
    runs = [begin(seed=seed) for seed in (0, 1, 2)]
    other = begin(settings={"shades": [1.0, 0.5]}, seed=3)
    (group,) = seed_spread.groups([*runs[::-1], other])
    assert [run.header.spec.seed for run in group] == [0, 1, 2]
    out = reporting.write([run.folder for run in (*runs, other)], tmp_path / "all.csv")
    rows = pd.read_csv(out)
    spread = rows[rows["metric"] == "between_seeds.accuracy"]
    values = rows[(rows["metric"] == "accuracy") & (rows["protocol"] == "plain")]["value"]
    assert len(values) == 3
    assert spread["value"].tolist() == pytest.approx([statistics.stdev(values)], abs=1e-6)
    assert spread["reference"].tolist() == ["seeds 0, 1, 2"]
    assert spread["run_id"].tolist() == [runs[0].run_id]
    assert "between_seeds" not in runs[0].metrics.to_csv()  # the run itself is as it was
    page = reporting.write([run.folder for run in runs], tmp_path / "all.html").read_text(encoding="utf-8")
    assert "etween seeds" in page


def test_one_seed_has_no_spread(begin: Begin) -> None:
    run = begin()
    assert list(seed_spread.groups([run, run])) == []
    assert seed_spread.with_spread([run]) == [run]
