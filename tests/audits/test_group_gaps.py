"""Every labelled audit compares groups: a planted gap is stated with its size, and none where none is planted.

120 images of two labels, in two groups of skin tone and two of gender; `lost` images of dark skin are named wrongly.
"""

from __future__ import annotations

import numpy as np
import pytest

from audits.analysis import Analysis
from audits.contracts import CLEAN
from audits.stages import analysed
from tests.audits.planted import dataset, embedded, facts, one_hot, protocol, stages_of
from workbench.errors import BadInput
from workbench.statistics.measures import Measure

calibration = stages_of("calibration")
prompts = stages_of("limits/prompts")
corruptions = stages_of("robustness/corruptions")
overlay = stages_of("typographic/overlay")

LABELS = ("cat", "dog")
N = 120
LOST = 38  # of 60 dark images: 63.3 points
TONES = ["light" if at < N // 2 else "dark" for at in range(N)]
GENDERS = ["f" if at % 4 < 2 else "m" for at in range(N)]
SETTINGS: dict[str, object] = {"slice_by": ["tone"], "crossed": [["tone", "gender"]]}


def analyse(audit: str, lost: int, settings: dict[str, object] | None = None) -> Analysis:
    """Run an audit on images of which `lost` dark ones are named wrongly, in every altered form where it makes any."""
    module = {
        "calibration": calibration,
        "limits/prompts": prompts,
        "robustness/corruptions": corruptions,
        "typographic/overlay": overlay,
    }[audit]
    data = dataset([LABELS[at % 2] for at in range(N)], tone=TONES, gender=GENDERS)
    extra: dict[str, object] = {"corruptions": ["fog"], "severities": [3]} if audit == "robustness/corruptions" else {}
    extra |= {"draws": 100} if audit == "limits/prompts" else {}
    rules = protocol(audit, {**(SETTINGS if settings is None else settings), **extra})
    items = module.plan(data, rules, seed=0)
    altered = audit in ("robustness/corruptions", "typographic/overlay")
    rows = []
    for item in items:
        at = int(item.sample_id[1:])
        wrong = N // 2 <= at < N // 2 + lost and not (altered and item.variant == CLEAN)
        wrong = wrong and not item.variant.startswith(("nonsense", "blank"))
        rows.append(np.eye(2)[(at + wrong) % 2])
    handed = embedded(data, np.array(rows), one_hot(LABELS), items=tuple(items))
    samples = module.score(handed, rules, seed=0)
    return analysed(module, samples, rules, model=facts(2), seed=0)


def gap_of(analysis: Analysis, metric: str, by: str, **slice: str) -> Measure:
    rows = [m for m in analysis.measures if (m.metric, m.slice_by, m.contrast) == (metric, by, "between_groups")]
    (row,) = [m for m in rows if dict(m.slice) == slice or not slice]
    return row


CASES = [
    ("calibration", "accuracy", {}, "accuracy differs by tone"),
    ("calibration", "overconfidence", {}, "overconfidence differs by tone"),
    ("limits/prompts", "accuracy", {}, "the accuracy of the ensemble differs by tone"),
    ("robustness/corruptions", "accuracy_change", {}, "the change of accuracy under corruptions differs by tone"),
    ("typographic/overlay", "attack_success", {"overlay": "word"}, "attack success differs by tone"),
    ("typographic/overlay", "accuracy_drop", {}, "the accuracy drop under a wrong word differs by tone"),
]


@pytest.mark.parametrize(("audit", "metric", "slice", "text"), CASES)
def test_a_planted_gap_is_stated_with_its_size(audit: str, metric: str, slice: dict[str, str], text: str) -> None:
    analysis = analyse(audit, LOST)
    gap = gap_of(analysis, metric, "tone", **slice)
    assert gap.value == pytest.approx(LOST / 60)
    assert gap.ci_low is not None
    assert 0.4 < gap.ci_low < gap.value
    assert gap.p_adj is not None
    assert gap.p_adj < 0.001
    (one,) = [one for one in analysis.findings if f"{text} (" in one.text]
    assert one.strength == "found"
    assert "largest gap 63.3 points" in one.text
    assert gap_of(analysis, metric, "tone,gender", **slice).value == pytest.approx(38 / 60, abs=0.1)


@pytest.mark.parametrize(("audit", "metric", "slice", "text"), CASES)
def test_no_gap_is_stated_where_none_is_planted(audit: str, metric: str, slice: dict[str, str], text: str) -> None:
    analysis = analyse(audit, 0)
    output = [
        one for one in analysis.findings if text in one.text or text.split(" differs")[0] + " differs" in one.text
    ]
    assert output
    assert {one.strength for one in output} <= {"no evidence", "not measured"}


@pytest.mark.parametrize("audit", ["calibration", "limits/prompts", "robustness/corruptions", "typographic/overlay"])
def test_each_group_has_its_row_with_the_smallest_difference_it_could_show(audit: str) -> None:
    analysis = analyse(audit, LOST)
    groups = [
        m
        for m in analysis.measures
        if m.metric == "accuracy" and m.contrast == "none" and set(m.slice) & {"tone", "gender"}
    ]
    assert {m.slice["tone"] for m in groups if "gender" not in m.slice} == {"light", "dark"}
    assert {(m.slice["tone"], m.slice["gender"]) for m in groups if "gender" in m.slice} == {
        (tone, gender) for tone in ("light", "dark") for gender in ("f", "m")
    }
    assert all(m.detectable is not None for m in groups if m.n)
    with pytest.raises(BadInput, match="race"):
        analyse(audit, 0, {"slice_by": ["race"]})


def test_without_settings_attributes_of_the_data_set_are_compared() -> None:
    analysis = analyse("calibration", LOST, {})
    assert {m.slice_by for m in analysis.measures if m.contrast == "between_groups"} == {"tone", "gender"}
