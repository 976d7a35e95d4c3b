"""Not judged: which numbers are too wide, how many images they need, and where their groups are named."""

from __future__ import annotations

from typing import Any

import pytest

from audits import precision
from audits.analysis import Analysis, Finding
from audits.grouping import gap_rows
from audits.measuring import gap
from workbench.statistics.intervals import proportion
from workbench.statistics.measures import Measure, adjust, share

RACE = {"race"}


def groups(**counts: tuple[int, int]) -> list[Measure]:
    return [share("accuracy", k, n, slice={"race": name}) for name, (k, n) in counts.items()]


def flags(*rows: Measure) -> dict[str, set[str]]:
    kinds = {"not_judged", "below_others", "above_others"}
    return {one.slice["race"]: kinds & set(one.flags) for one in precision.marked(rows, RACE)}


def test_a_group_is_judged_if_it_is_precise_or_found_to_differ() -> None:
    """22 of 29 reaches 19.4 points down; 5 of 29 as well, but lies below the others; 0 of 29 both ways."""
    assert flags(*groups(White=(364, 485), Black=(364, 485), Indian=(22, 29))) == {
        "White": set(),
        "Black": set(),
        "Indian": {"not_judged"},
    }
    assert flags(*groups(White=(364, 485), Indian=(5, 29)))["Indian"] == {"below_others"}
    assert flags(*groups(White=(10, 485), Indian=(24, 29)))["Indian"] == {"above_others"}
    assert flags(*groups(White=(364, 485), none=(0, 0)))["none"] == {"not_judged"}


@pytest.mark.parametrize(("k", "n"), [(22, 29), (1, 3), (30, 60), (2, 20), (0, 5)])
def test_as_many_images_as_are_named_are_enough_and_fewer_are_not(k: int, n: int) -> None:
    """At the share in the interval that is nearest to a half, by the project's own interval."""
    low, high = proportion(k, n).low, proportion(k, n).high
    worst = min(max(0.5, low or 0), high or 1)
    needed = precision.cases_needed(share("accuracy", k, n)) or 0

    def reach(size: int) -> float:
        one = proportion(round(worst * size), size)
        return max(one.value - one.low, one.high - one.value)  # type: ignore[operator]

    assert reach(needed) <= 0.1 < reach(needed - 6)


def test_the_group_is_named_by_itself_and_in_the_sentence_on_its_gap() -> None:
    right = [1.0] * 364 + [0.0] * 121 + [1.0] * 22 + [0.0] * 7
    races = ["White"] * 485 + ["Indian"] * 29
    fields: dict[str, Any] = {"cluster": list(map(str, range(514))), "groups": races, "slice_by": "race", "rng": 0}
    measures = adjust([*groups(White=(364, 485), Indian=(22, 29)), *gap_rows(gap, "accuracy", right, **fields)])
    sentence = Finding("No evidence.", "no evidence", "accuracy", {}, by="race")
    first, second = precision.added(Analysis(measures, [sentence]), RACE).findings
    assert first.text == "No evidence. Not judged: Indian (n = 29)."
    assert (second.strength, second.slice, second.n) == ("not judged", {"race": "Indian"}, 29)
    for part in ("race Indian", "75.9 %", "56.5 to 89.7", "n = 29", "about 96 images needed"):
        assert part in second.text


def test_an_audit_of_which_no_number_is_judged_says_so() -> None:
    few = [share("accuracy", 3, 6), *groups(a=(1, 3), b=(2, 3))]
    findings = precision.added(Analysis(few), RACE).findings
    assert findings[0].text == "Not judged: the audit as a whole; none of its 3 numbers is within 10 points."
    assert [dict(one.slice or {}) for one in findings[1:]] == [{}, {"race": "a"}, {"race": "b"}]
