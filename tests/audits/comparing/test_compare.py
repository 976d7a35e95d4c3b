"""Two runs side by side: known flips are found, unequal runs are refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from audits import comparing, reporting
from audits.errors import Tampered
from tests.audits.reporting.conftest import HOSTILE
from tests.audits.reporting.made_run import make, sealed
from workbench.errors import BadInput


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("compare") / "base")


@pytest.fixture(scope="module")
def candidate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """13 pictures of D are right that were not, 8 of B are wrong that were not."""
    return make(tmp_path_factory.mktemp("compare") / "candidate", right={"D": 40, "B": 40})


def rewritten(run: Path, change: Any) -> Path:
    place = run / "samples" / "part-0000.parquet"
    change(pd.read_parquet(place)).to_parquet(place, index=False)
    return sealed(run)


def test_planted_flips_are_found_with_their_size(base: Path, candidate: Path) -> None:
    result = comparing.compare(base, candidate)
    table = result.metrics.set_index("slice")
    assert (table["contrast"] == "paired").all()
    assert table.loc["{}", "value"] == pytest.approx(5 / 240)
    assert table.loc['{"group":"D"}', "value"] == pytest.approx(13 / 60)
    assert table.loc['{"group":"B"}', "value"] == pytest.approx(-8 / 60)
    assert table.loc['{"group":"A"}', "value"] == 0
    assert table.loc['{"group":"D"}', "p_value"] == pytest.approx(chi2.sf(13, 1))  # 13 of 13 one way: McNemar
    assert table.loc['{"group":"A"}', "ci_low"] < 0 < table.loc['{"group":"A"}', "ci_high"]
    assert result.tests == 5
    gained = result.flips[result.flips["change"] == "gained"]
    assert sorted(gained["sample_id"]) == [f"D-{at:03d}" for at in range(27, 40)]
    lost = result.flips[result.flips["change"] == "lost"]
    assert sorted(lost["sample_id"]) == [f"B-{at:03d}" for at in range(40, 48)]
    assert list(lost["candidate:y_pred"].unique()) == ["other"]


def test_adjusted_by_family(base: Path, candidate: Path) -> None:
    """Benjamini-Hochberg over the four groups, by hand: p m / rank, from the largest down; overall is a family."""
    table = comparing.compare(base, candidate).metrics
    groups = table[table["slice_by"] == "group"].sort_values("p_value")
    p = groups["p_value"].to_numpy(dtype=float)
    by_hand = np.minimum.accumulate((p * 4 / np.arange(1, 5))[::-1])[::-1].clip(max=1)
    assert groups["p_adj"].to_numpy(dtype=float) == pytest.approx(by_hand)
    assert list(groups["n_tests"]) == [4] * 4
    overall = table[table["slice_by"] == ""].iloc[0]
    assert overall["p_adj"] == overall["p_value"]
    none = comparing.compare(base, candidate, correction="none").metrics
    assert (none["p_adj"] == none["p_value"]).all()


def test_a_run_compared_with_itself_shows_nothing(base: Path) -> None:
    result = comparing.compare(base, base)
    assert (result.metrics["value"] == 0).all()
    assert (result.metrics["p_value"] == 1).all()
    assert len(result.flips) == 0


def test_the_order_of_the_samples_does_not_matter(base: Path, tmp_path: Path) -> None:
    right = {"D": 40, "B": 40}
    mixed = rewritten(make(tmp_path / "candidate", right=right), lambda table: table.sample(frac=1, random_state=3))
    plain = make(tmp_path / "again" / "candidate", right=right)
    pd.testing.assert_frame_equal(comparing.compare(base, mixed).metrics, comparing.compare(base, plain).metrics)


def test_clusters_widen_the_interval(base: Path, candidate: Path, tmp_path: Path) -> None:
    """Ten pictures a person: fewer independent units than pictures."""

    def people(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(cluster=[name[:-1] for name in table["sample_id"]])

    clustered = [rewritten(make(tmp_path / "base"), people)]
    clustered.append(rewritten(make(tmp_path / "candidate", right={"D": 40, "B": 40}), people))
    plain, wide = comparing.compare(base, candidate).metrics.iloc[0], comparing.compare(*clustered).metrics.iloc[0]
    assert wide["value"] == plain["value"]
    assert wide["ci_high"] - wide["ci_low"] > plain["ci_high"] - plain["ci_low"]
    assert "cluster" in wide["ci_method"]


def test_the_draw_of_the_shots_counts_where_few_shots_are_compared(tmp_path: Path) -> None:
    """Ten draws, the candidate's 15 points apart from draw to draw: images alone would call their mean certain."""
    rng = np.random.default_rng(0)
    better = rng.normal(0.06, 0.15, 10)
    before = rng.random((240, 10)) < 0.5
    after = rng.random((240, 10)) < 0.5 + better

    def drawn(right: Any) -> Any:
        return lambda table: table.assign(**{"draws": list(right.astype(float)), "outcome:accuracy": right.mean(1)})

    base, candidate = (
        rewritten(make(tmp_path / name), drawn(right)) for name, right in (("base", before), ("candidate", after))
    )
    row = comparing.compare(base, candidate).metrics.iloc[0]
    change = after.astype(float) - before
    by_draw, by_image = change.mean(0).var(ddof=1) / 10, change.mean(1).var(ddof=1) / 240
    assert row["value"] == pytest.approx(change.mean())
    half = (row["ci_high"] - row["ci_low"]) / 2
    assert 1.96 * np.sqrt(by_draw + by_image) < half < 2.4 * np.sqrt(by_draw + by_image)
    assert half > 3 * np.sqrt(by_image)
    assert "10 draws" in row["ci_method"]
    assert (row["p_value"] < 0.05) == (row["ci_low"] > 0 or row["ci_high"] < 0)


@pytest.mark.parametrize(
    ("header", "output"),
    [
        ({"hashes": {"protocol": "q" * 64}}, "protocol"),
        ({"hashes": {"dataset": "q" * 64}}, "data"),
        ({"spec": {"audit": "calibration"}}, "audit"),
        ({"spec": {"audit_version": 2}}, "version of the audit"),
        ({"spec": {"seed": 1}}, "seed"),
        ({"partial": True}, "partial"),
        ({"status": "cancelled"}, "did not finish"),
    ],
)
def test_runs_that_were_not_measured_alike_are_refused(base: Path, tmp_path: Path, header: Any, output: str) -> None:
    other = make(tmp_path / "other", header=header)
    with pytest.raises(comparing.NotComparable, match=output) as caught:
        comparing.compare(base, other)
    assert caught.value.exit_code == 5
    allowed = comparing.compare(base, other, allow_mismatch=True)
    assert output in allowed.mismatches[0]


def test_missing_samples_are_refused(base: Path, tmp_path: Path) -> None:
    short = rewritten(make(tmp_path / "short"), lambda table: table.iloc[5:])
    with pytest.raises(comparing.NotComparable, match="5 rows only in 'base', 0 only in 'short'"):
        comparing.compare(base, short)
    allowed = comparing.compare(base, short, allow_mismatch=True)
    assert allowed.metrics.iloc[0]["n"] == 235
    assert "compared on 235 rows" in allowed.mismatches[0]


def test_what_cannot_be_paired_is_refused(base: Path, tmp_path: Path) -> None:
    twice = rewritten(make(tmp_path / "twice"), lambda table: pd.concat([table, table.head(1)]))
    with pytest.raises(comparing.NotComparable, match="stands twice"):
        comparing.compare(base, twice)
    mute = rewritten(make(tmp_path / "mute"), lambda table: table.drop(columns="outcome:accuracy"))
    with pytest.raises(comparing.NotComparable, match="outcome:METRIC"):
        comparing.compare(base, mute)
    empty = make(tmp_path / "apart" / "empty")
    (empty / "samples" / "part-0000.parquet").unlink()
    with pytest.raises(Tampered, match=r"part-0000\.parquet is missing"):
        comparing.compare(base, empty)
    with pytest.raises(BadInput, match="single runs"):
        comparing.compare(base, tmp_path)


def test_files_of_a_comparison(base: Path, candidate: Path, tmp_path: Path) -> None:
    result = comparing.compare(base, candidate)
    text = reporting.write_comparison(result, tmp_path / "c.html").read_text(encoding="utf-8")
    assert "2 of 5 numbers changed by more than chance" in text
    assert "13 outcomes rose and 8 fell from base to candidate" in text
    assert "D-039" in text
    exact = [float(value) for value in re.findall(r'class="number value" data-v="([^"]*)"', text)]
    assert sorted(exact) == sorted(result.metrics["value"])
    markdown = reporting.write_comparison(result, tmp_path / "c.md").read_text(encoding="utf-8")
    row = "| Accuracy | group D | 22 points | 10 to 37 points |"  # Tango at 1 - 0.05 / 4: four groups are tested
    assert row in markdown
    output = json.loads(reporting.write_comparison(result, tmp_path / "c.json").read_text(encoding="utf-8"))
    assert len(output["flips"]) == 21
    assert len(output["metrics"]) == 5
    with pytest.raises(BadInput, match=r"\.html, \.md"):
        reporting.write_comparison(result, tmp_path / "c.pdf")


def test_hostile_names_in_a_comparison(tmp_path: Path) -> None:
    runs = [make(tmp_path / name, names=HOSTILE, right={"A": hits}) for name, hits in (("a", 54), ("b", 30))]
    text = reporting.write_comparison(comparing.compare(*runs), tmp_path / "c.html").read_text(encoding="utf-8")
    assert len(re.findall("<script", text)) == 2
    assert "\u202e" not in text
