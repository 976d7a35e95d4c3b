"""The one rule for sentences: found, no evidence, not measured."""

from __future__ import annotations

import numpy as np
import pytest

from audits import measuring
from audits.findings import amount, detectable, finding, gap_finding, strength
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import adjust, number, share


@pytest.mark.parametrize(
    ("low", "high", "p_value", "kind", "begins"),
    [
        (0.1, 0.3, None, "found", "Found: it rises by 20.0 points (95 % interval 10.0 to 30.0, n = 50)."),
        (0.1, 0.3, 0.2, "no evidence", "No evidence after correction for 1 tests that it rises: 20.0 points"),
        (-0.1, 0.3, 0.01, "no evidence", "No evidence that it rises: 10.0 points"),
        (-0.3, -0.1, 0.01, "found", "Found: it falls by 20.0 points (95 % interval 10.0 to 30.0, n = 50)."),
    ],
)
def test_the_words_follow_interval_and_test(
    low: float, high: float, p_value: float | None, kind: str, begins: str
) -> None:
    interval = Interval((low + high) / 2, low, high, 0.95, "by hand")
    (measure,) = adjust([number("rise", interval, n=50, unit="difference", p_value=p_value)])
    result = finding(measure, "it rises by {}", opposite="it falls by {}", few=30)
    assert result.strength == kind
    assert result.text.startswith(begins)
    assert result.effect == pytest.approx((low + high) / 2)  # the sign stays
    assert finding(measure, "it rises by {}", few=51).strength == "not judged"
    assert "in {odd}" in finding(measure, "it rises by {} in {odd}", few=30).text
    assert finding(share("rise", 0, 0), "it rises by {}").text == "Not measured: whether it rises (n = 0)."


def test_a_value_below_zero_without_an_opposite_says_so() -> None:
    (measure,) = adjust([number("rise", Interval(-0.2, -0.3, -0.1, 0.95, "by hand"), n=50, unit="difference")])
    assert finding(measure, "it rises by {}").text.startswith("Found the opposite: it rises by -20.0")


def test_a_share_stands_in_percent_and_keeps_its_value_below_zero() -> None:
    measure = share("accuracy", 10, 100)
    text = finding(
        measure, "accuracy, {}, is above guessing", opposite="accuracy, {}, is below guessing", zero=0.5
    ).text
    assert text.startswith("Found: accuracy, 10.0 % (95 % interval")
    assert "below guessing" in text
    assert amount(share("accuracy", 0, 0)) == "not measured (n = 0)"


def test_no_evidence_names_the_smallest_difference_that_could_have_been_found() -> None:
    rng = np.random.default_rng(0)
    before = (np.arange(60) % 3 == 0).astype(float)
    after = before.copy()
    after[[0, 1, 2, 3]] = 1 - after[[0, 1, 2, 3]]
    (row,) = adjust([measuring.change("change", before, after, cluster=[str(at) for at in range(60)])])
    text = finding(row, "accuracy rises by {}").text
    assert row.detectable is not None
    assert text.endswith(
        f"The smallest difference that these 60 cases could have shown is {100 * row.detectable:.1f} points."
    )
    outcomes = [float(at % 2) for at in range(80)]
    groups = ["a" if at < 40 else "b" for at in range(80)]
    cluster = [str(at) for at in range(80)]
    (gap,) = adjust([measuring.gap("accuracy", outcomes, cluster, groups=groups, rng=rng, slice_by="side")])
    result = gap_finding(gap, "accuracy")
    assert result.strength == "no evidence"
    assert "The smallest difference that these 80 cases could have shown is" in result.text
    # two groups of 40 at one half: 80 of 100 runs find a difference of about 30 points
    assert gap.detectable == pytest.approx(0.30, abs=0.03)
    assert (
        detectable(share("accuracy", 0, 0))
        == " No difference, however large, could have been shown with these 0 cases."
    )


def test_a_planted_gap_is_stated_with_its_size_groups_and_chance() -> None:
    rng = np.random.default_rng(0)
    outcomes = [float(at % 10 < (9 if at < 100 else 3)) for at in range(200)]
    groups = ["light" if at < 100 else "dark" for at in range(200)]
    cluster = [str(at) for at in range(200)]
    (gap,) = adjust([measuring.gap("accuracy", outcomes, cluster, groups=groups, rng=rng, slice_by="skin_tone")])
    text = gap_finding(gap, "accuracy").text
    assert text.startswith(
        "Found: accuracy differs by skin tone: largest gap 60.0 points, dark to light; by chance alone"
    )
    assert "after correction for 1 tests; n = 200." in text


def test_strength_needs_test_and_interval() -> None:
    held = number("x", Interval(0.2, 0.0, 0.4, 0.95, "by hand"), n=50, p_value=0.01)
    (both,) = adjust([held])
    assert strength(both) == "no evidence"
    assert strength(number("x", Interval(0.2, None, None, 0.95, "none"), n=50)) == "not measured"


@pytest.mark.parametrize(
    ("low", "high", "p_value", "kind"),
    [
        (-0.02, 0.029, 0.6, "equivalent"),
        (-0.029, 0.02, None, "equivalent"),
        (-0.02, 0.031, 0.6, "no evidence"),
        (-0.031, 0.02, 0.6, "no evidence"),
        (0.01, 0.02, 0.01, "found"),  # small, and beyond chance
        (0.001, 0.02, 0.2, "equivalent"),
    ],
)
def test_a_difference_whose_whole_interval_is_below_three_points_is_equivalent(
    low: float, high: float, p_value: float | None, kind: str
) -> None:
    interval = Interval((low + high) / 2, low, high, 0.95, "by hand")
    (measure,) = adjust([number("rise", interval, n=5000, unit="difference", p_value=p_value)])
    result = finding(measure, "it rises by {}", opposite="it falls by {}")
    assert result.strength == kind
    assert result.text.startswith("Equivalent within 3 points: it ") == (kind == "equivalent")
    (gap,) = adjust([number("x", interval, n=5000, unit="difference", p_value=p_value, slice_by="side")])
    text = gap_finding(gap, "accuracy").text
    assert ("Equivalent within 3 points: accuracy differs by side: largest gap" in text) == (kind == "equivalent")


def test_only_differences_of_shares_are_equivalent() -> None:
    loss = number("x", Interval(0.0, -0.01, 0.01, 0.95, "by hand"), n=9000, unit="nats")
    assert strength(loss) == "no evidence"  # three points of a share are no measure of a loss
    assert strength(number("x", Interval(0.01, 0.0, 0.02, 0.95, "by hand"), n=9, unit="share")) == "no evidence"
    assert strength(number("accuracy", Interval(0.5, 0.49, 0.51, 0.95, "by hand"), n=9000), zero=0.5) == "no evidence"


def test_groups_that_are_alike_are_equivalent_with_enough_images_and_undecided_with_few() -> None:
    def gap_of(n: int) -> str:
        outcomes = [float(at % 10 < 9) for at in range(n)]
        groups = ["a" if at // 10 % 2 else "b" for at in range(n)]
        row = measuring.gap(
            "accuracy",
            outcomes,
            [str(at) for at in range(n)],
            groups=groups,
            rng=np.random.default_rng(0),
            slice_by="x",
        )
        return gap_finding(adjust([row])[0], "accuracy").strength

    assert (gap_of(8000), gap_of(200)) == ("equivalent", "no evidence")


def test_a_gap_that_is_undefined_says_why() -> None:
    """Two groups of forty images whose answers never changed: there are enough images, and nothing that varies."""
    rng = np.random.default_rng(0)
    still = measuring.mean_gap(
        "drop", np.zeros(80), [str(at) for at in range(80)], groups=["a"] * 40 + ["b"] * 40, rng=rng, slice_by="race"
    )
    assert gap_finding(still, "the drop").text == (
        "Not measured: whether the drop differs by race; no image differs within its group."
    )
    one = measuring.mean_gap("drop", np.zeros(2), ["1", "2"], groups=["a", "a"], rng=rng, slice_by="race")
    assert "fewer than two groups" in gap_finding(one, "the drop").text
