"""The weakest slice: found where it was planted, not elsewhere, and tested on images that were not searched."""

from __future__ import annotations

from statistics import mean

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import test_proportions_2indep as two_shares

from audits import weakest
from audits.analysis import Analysis
from audits.contracts import OUTCOME


def samples(n: int, drop: float, seed: int, each: int = 1) -> pd.DataFrame:
    """Images of which dark and old ones are recognised less often; `each` images share a cluster."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "sample_id": [f"{at:05}" for at in range(n)],
            "cluster": [f"{at // each:05}" for at in range(n)],
            "label_set": "all",
            "tone": rng.choice(["light", "medium", "dark"], n),
            "age": rng.choice(["young", "old"], n),
            "light": rng.choice(["day", "night"], n),
        }
    )
    weak = (rows["tone"] == "dark") & (rows["age"] == "old")
    rows[OUTCOME + "accuracy"] = (rng.random(n) < np.where(weak, 0.9 - drop, 0.9)).astype(float)
    return rows


def test_a_planted_slice_is_found_with_its_size() -> None:
    rows = samples(1500, 0.4, 0)
    result = weakest.added(Analysis([]), rows, ["tone", "age", "light"], seed=0)
    (row,), (finding,) = result.measures, result.findings
    assert row.metric == "weakest_slice.accuracy"
    assert row.reference == "all others; slice: tone is dark and age is old"
    assert (row.slice_by, row.contrast) == ("tone,age", "to_reference")
    assert row.value == pytest.approx(-0.4, abs=0.1)
    assert finding.text.startswith("Found: accuracy is lowest where tone is dark and age is old (labels: all): -")
    assert finding.strength == "found"


def test_the_number_is_that_of_the_half_which_the_search_did_not_see() -> None:
    rows = samples(1500, 0.4, 1)
    row = weakest.weakest(rows, "accuracy", ["tone", "age"], seed=3)
    assert row is not None
    assert row.n is not None
    weak = rows[(rows["tone"] == "dark") & (rows["age"] == "old")]
    assert row.n < 0.65 * len(weak)
    # statsmodels' score test (Miettinen-Nurminen) of the same halves, found by their sizes
    names = sorted(set(rows["cluster"]))
    searched = {
        names[at]
        for at in weakest.generator(3, "weakest slice", "accuracy", "").permutation(len(names))[: len(names) // 2]
    }
    held = rows[~rows["cluster"].isin(searched)]
    inside = held["sample_id"].isin(weak["sample_id"])
    k, m = (int(part[OUTCOME + "accuracy"].sum()) for part in (held[inside], held[~inside]))
    n, o = int(inside.sum()), int((~inside).sum())
    assert (row.n, row.value) == (n, pytest.approx(k / n - m / o))
    expected = two_shares(k, n, m, o, method="score", compare="diff", correction=True)
    assert row.p_value == pytest.approx(expected.pvalue, rel=1e-6)


@pytest.mark.parametrize("each", [1, 5])
def test_without_a_weak_slice_the_search_raises_few_alarms(each: int) -> None:
    rows = [
        weakest.weakest(samples(300, 0.0, at, each), "accuracy", ["tone", "age", "light"], seed=at) for at in range(60)
    ]
    assert mean(row is not None and (row.p_value or 1) < 0.05 for row in rows) <= 0.12  # 0.05, and three errors of 60


def test_few_images_changed_forms_and_equal_outcomes_are_not_searched() -> None:
    few, same = samples(100, 0.4, 0), samples(300, 0.4, 0)
    assert weakest.weakest(few, "accuracy", ["tone"], seed=0) is None
    assert weakest.weakest(same.assign(**{OUTCOME + "accuracy": 1.0}), "accuracy", ["tone"], seed=0) is None
    assert weakest.weakest(same, "accuracy", [], seed=0) is None
    twice = pd.concat([same, same], ignore_index=True)  # two forms of each image
    assert weakest.added(Analysis([]), twice, ["tone", "age"], seed=0).measures == []
