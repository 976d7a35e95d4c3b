"""Words or groups: planted decisions are told apart with the shares worked out by hand, and lots decide nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audits import protocol
from audits.bias.label_design.analyse import PARTS, shares
from audits.bias.label_design.score import wordings
from audits.catalogue import find, protocol_names, read_protocol
from tests.audits.planted import stages_of
from workbench.errors import BadInput

label_design = stages_of("bias/label-design")

CONTENT: dict[str, Any] = {
    "schema": 1,
    "name": "small",
    "audit": "bias/label-design",
    "title": "Small",
    "templates": ["a {}", "the {}"],
    "label_sets": {"base": {"labels": ["man", "thief", "ape"], "groups": {"crime": ["thief"], "nonhuman": ["ape"]}}},
    "settings": {
        "slice_by": ["group"],
        "target": ["crime", "nonhuman"],
        "leave_out": ["thief"],
        "synonyms": {"thief": ["robber"]},
        "add": ["child"],
    },
}
RULES = protocol.parse(CONTENT)


def _share(analysis: Any, the: Any, part: str) -> Any:
    return the(analysis, f"variance_share.{part}", contrast="between_groups", slice_by="group")


def _rows(groups: str, n: int = 40) -> list[dict[str, str]]:
    return [{"group": letter} for letter in groups for _ in range(n)]


def test_the_wordings_are_those_that_are_asked_for() -> None:
    settings = RULES.settings_as(label_design.Settings)
    sets = wordings(RULES, settings)
    assert sets == {
        "base": (("man", "thief", "ape"), {"thief", "ape"}),
        "without thief": (("man", "ape"), {"ape"}),
        "robber for thief": (("man", "robber", "ape"), {"robber", "ape"}),
        "with child": (("man", "thief", "ape", "child"), {"thief", "ape"}),
    }


def test_what_only_the_group_decides_is_all_the_groups(run: Any, the: Any) -> None:
    near = [{"a ape": 1.0, "the ape": 1.0}] * 40 + [{"a man": 1.0, "the man": 1.0}] * 40
    analysis = run(label_design, RULES, _rows("AB"), near=near)
    assert _share(analysis, the, "group").value == pytest.approx(1)
    assert _share(analysis, the, "labels").value == pytest.approx(0)
    assert _share(analysis, the, "group").p_adj < 0.05
    assert "wording explains 0 % of the variance of the rate, group 100 %" in analysis.findings[1].text


def test_what_only_the_words_decide_is_all_the_words(run: Any, the: Any) -> None:
    near = [{"a thief": 1.0, "the thief": 1.0, "a man": 0.5, "the man": 0.5}] * 80  # thieves where the word is there
    analysis = run(label_design, RULES, _rows("AB"), near=near)
    assert _share(analysis, the, "labels").value == pytest.approx(1)
    assert _share(analysis, the, "group").value == pytest.approx(0)
    assert analysis.findings[1].strength == "no evidence"
    rates = {m.label_set: m.value for m in analysis.measures if m.metric == "rate.target"}
    assert rates["base | a {}"] == 1
    assert rates["without thief | the {}"] == 0
    assert rates["robber for thief | a {}"] == 0


def test_what_only_the_template_decides_is_all_the_templates(run: Any, the: Any) -> None:
    analysis = run(label_design, RULES, _rows("AB"), near=[{"a ape": 1.0, "the man": 1.0}] * 80)
    assert _share(analysis, the, "templates").value == pytest.approx(1)


def test_a_table_of_four_cells_by_hand() -> None:
    outcomes = np.zeros((20, 2, 1))  # rates: group 0: 0.8 and 0.4; group 1: 0.2 and 0.2
    outcomes[:8, 0], outcomes[:4, 1] = 1, 1
    outcomes[10:12, 0], outcomes[10:12, 1] = 1, 1
    result = dict(zip(PARTS, shares(outcomes, np.repeat([0, 1], 10), 2), strict=True))
    # mean 0.4; total .16 + 0 + .04 + .04 = .24; group 2 * (.04 + .04) = .16; labels 2 * (.01 + .01) = .04; left .04
    assert result["group"] == pytest.approx(0.16 / 0.24)
    assert result["labels"] == pytest.approx(0.04 / 0.24)
    assert result["group_and_wording"] == pytest.approx(0.04 / 0.24)
    assert sum(result.values()) == pytest.approx(1)


def test_groups_count_equally_whatever_their_size() -> None:
    outcomes = np.zeros((30, 2, 1))
    outcomes[:8, 0], outcomes[:4, 1] = 1, 1
    outcomes[10:14, 0], outcomes[10:14, 1] = 1, 1  # 4 of 20: the same rates as above
    result = shares(outcomes, np.array([0] * 10 + [1] * 20), 2)
    assert result[0] == pytest.approx(0.16 / 0.24)


def test_groups_that_react_differently_are_told_from_both(run: Any, the: Any) -> None:
    near = [{"a thief": 1.0, "the thief": 1.0, "a man": 0.5, "the man": 0.5}] * 40
    near += [{"a man": 1.0, "the man": 1.0}] * 40
    analysis = run(label_design, RULES, _rows("AB"), near=near)
    assert _share(analysis, the, "group_and_wording").value > 0.2


def test_a_lot_gives_the_group_no_more_than_chance(run: Any, the: Any) -> None:
    label = {"a ape": 1.0, "the man": 1.0}, {"a man": 1.0, "the man": 1.0}
    near = [label[int(at)] for at in np.random.default_rng(1).integers(0, 2, 80)]
    analysis = run(label_design, RULES, _rows("AB"), near=near)
    group = _share(analysis, the, "group")
    assert group.value <= group.null_q95
    assert analysis.findings[1].strength == "no evidence"


def test_matched_clusters_are_dealt_within(run: Any, the: Any) -> None:
    rows = [{"group": "AB"[at % 2], "cluster": f"c{at // 2}"} for at in range(80)]
    ape, man = {"a ape": 1.0, "the ape": 1.0}, {"a man": 1.0, "the man": 1.0}
    near = [ape if at // 2 < 20 else man for at in range(80)]  # the scene decides, never the group
    group = _share(run(label_design, RULES, rows, near=near), the, "group")
    assert group.value is None or group.value == pytest.approx(0)
    assert group.null_q95 is None or group.null_q95 == pytest.approx(0)


def test_nothing_that_varies_is_not_measured(run: Any) -> None:
    analysis = run(label_design, RULES, _rows("AB"), near=[{"a man": 1.0, "the man": 1.0}] * 80)
    assert [f.strength for f in analysis.findings] == ["note", "not measured"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": ["animals"]}, "lacks animals"),
        ({"leave_out": ["cat"]}, "lacks cat"),
        ({"synonyms": {"cat": ["dog"]}}, "lacks cat"),
        ({"slice_by": ["race"]}, "needs the column"),
    ],
)
def test_a_protocol_that_cannot_be_used_is_refused(dataset: Any, change: dict[str, Any], message: str) -> None:
    rules = protocol.parse(CONTENT | {"settings": CONTENT["settings"] | change})
    with pytest.raises(BadInput, match=message):
        label_design.plan(dataset([{"group": "A"}]), rules, seed=0)


def test_one_wording_varies_nothing(dataset: Any) -> None:
    settings = {"slice_by": ["group"], "target": ["crime"]}
    rules = protocol.parse(CONTENT | {"settings": settings, "templates": ["a {}"]})
    with pytest.raises(BadInput, match="varies nothing"):
        label_design.plan(dataset([{"group": "A"}]), rules, seed=0)


@pytest.mark.parametrize("name", protocol_names("bias/label-design"))
def test_the_shipped_protocols_fit(name: str) -> None:
    rules = read_protocol("bias/label-design", name)
    sets = wordings(rules, rules.settings_as(label_design.Settings))
    assert len(sets) == 16
    assert rules.content_warning
    assert name in find("bias/label-design").protocols
