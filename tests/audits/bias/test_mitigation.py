"""Remedies: a planted bias of known size is found and removed at no cost, and none is found where none was planted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audits.analysis import Analysis
from audits.bias.mitigation.analyse import _by_half
from audits.bias.two_groups import apart, skews
from audits.catalogue import find, protocol_names, read_protocol
from audits.contracts import Embedded, Item
from audits.protocol import Protocol
from tests.audits.planted import dataset, facts, protocol, stages_of
from workbench.errors import BadInput
from workbench.remedies import REMEDIES
from workbench.statistics.measures import Measure
from workbench.statistics.ranking import measured

mitigation = stages_of("bias/mitigation")
JOBS = ("cook", "judge", "pilot", "singer")
SIDES = [{"values": ["m"], "word": "male"}, {"values": ["f"], "word": "female"}]
SETTINGS = {"attribute": "gender", "sides": SIDES, "tests": [["career", "family"]]}
SETS = {
    "task": {"labels": list(JOBS)},
    "searches": {"labels": ["boss"]},
    "harmful": {"labels": ["person", "thief"], "groups": {"harmful": ["thief"]}},
    "career": {"labels": ["office"]},
    "family": {"labels": ["home"]},
}
RULES = protocol("bias/mitigation", SETTINGS, label_sets=SETS, decision="none")
GENDER, NOISE, SLACK, DIM = 4, 5, 6, 7  # axes behind those of the four jobs
SPREAD = 0.2
PLANTED = 0.5 / np.sqrt(16 - 0.5**2) * 2 * SPREAD  # a shift to either side that makes d = 0.5
LINEAR = [REMEDIES[key].title for key in ("text-direction", "image-direction", "leace")]


def axis(**parts: float) -> np.ndarray:
    names = {**dict(zip(JOBS, range(4), strict=True)), "gender": GENDER, "noise": NOISE, "slack": SLACK}
    row = np.zeros(DIM)
    for name, weight in parts.items():
        row[names[name]] = weight
    return row / np.linalg.norm(row)


def read(text: str) -> np.ndarray:
    """The text tower: what a text says about gender moves it along that axis."""
    said = {"male": 0.5, "female": -0.5}
    gender = sum(weight for word, weight in said.items() if word in text.split())
    kind = next((word for word in text.split() if word in JOBS), "")
    if kind:
        return axis(**{kind: 1.0, "gender": gender})
    known = {"boss": {"slack": 1.0, "gender": 1.0}, "office": {"noise": 0.3, "gender": 1.0, "slack": 1.0}}
    known |= {"home": {"noise": -0.3, "gender": -1.0, "slack": 1.0}, "child": {"slack": 1.0, "gender": 0.2}}
    known |= {"thief": {"slack": 1.0, "gender": 0.35}}
    parts = dict(next((parts for word, parts in known.items() if word in text.split()), {"slack": 1.0}))
    return axis(**{**parts, "gender": parts.get("gender", 0.0) + gender})


def embedded(shift: float, *, matched: bool = True, rules: Protocol = RULES, scenes: int = 240) -> Embedded:
    """Scenes, each with a man and a woman who differ by the shift alone (unmatched: in the noise, too)."""
    rng = np.random.default_rng(3)
    rows, vectors = [], []
    for scene in range(scenes):
        noise = rng.normal(size=DIM)
        for gender, sign in (("m", 1), ("f", -1)):
            noise = noise if matched else rng.normal(size=DIM)
            row = np.zeros(DIM)
            row[:4] = 0.07 * noise[:4]
            row[scene % 4] += 0.3
            row[GENDER], row[NOISE] = sign * shift + SPREAD * noise[GENDER], 0.1 * noise[NOISE]
            row[SLACK] = np.sqrt(max(0.0, 1 - (row**2).sum()))
            rows.append((JOBS[scene % 4], gender, f"scene{scene}"))
            vectors.append(row / np.linalg.norm(row))
    labels, genders, clusters = zip(*rows, strict=True)
    data = dataset(labels, gender=genders, cluster=clusters)
    data = replace(data, table=data.table.assign(split=["train" if at % 4 < 2 else "test" for at in range(len(rows))]))
    items = tuple(Item(sample) for sample in data.table["sample_id"])
    texts = {text: read(text).astype(np.float32) for text in mitigation.texts(data, rules)}
    return Embedded(facts(DIM), data, items, np.stack(vectors).astype(np.float32), texts)


def analysed(given: Embedded, rules: Protocol = RULES) -> Analysis:
    samples = mitigation.score(given, rules, seed=0)
    return mitigation.analyse(samples, rules, model=given.model, seed=0)


def the(analysis: Analysis, metric: str, remedy: str = "no remedy") -> Measure:
    (one,) = [m for m in analysis.measures if (m.metric, m.label_set) == (metric, remedy)]
    return one


@pytest.fixture(scope="module")
def planted() -> Analysis:
    return analysed(embedded(PLANTED, scenes=900))


def test_the_planted_association_is_found_at_its_size(planted: Analysis) -> None:
    row = the(planted, "association")
    assert row.value == pytest.approx(0.5, abs=0.05)
    assert row.ci_low > 0.4  # type: ignore[operator]
    assert the(planted, "max_skew").value > 0.05  # type: ignore[operator]
    found = [one.text for one in planted.findings if one.strength == "found"]
    assert any("male lies nearer to the first words than female" in text for text in found)


@pytest.mark.parametrize("remedy", LINEAR)
def test_a_planted_association_of_a_half_is_removed_for_less_than_a_point(planted: Analysis, remedy: str) -> None:
    left, change = the(planted, "association", remedy), the(planted, "association.change", remedy)
    assert -0.05 < left.ci_low <= left.value <= left.ci_high < 0.05  # type: ignore[operator]
    assert change.ci_high < -0.4  # type: ignore[operator]
    for metric in ("right.change", "retrieved.change"):
        cost = the(planted, metric, remedy)
        assert -0.01 < cost.ci_low <= cost.ci_high < 0.01  # type: ignore[operator]
    row = planted.tables["What each remedy changes"].set_index("remedy").loc[remedy]  # type: ignore[index]
    low, high = map(float, row["association with words"].split("]")[0].split("[")[1].split(","))
    assert -0.05 < low <= high < 0.05
    for quality in ("right answers", "images found by their label"):  # in points
        low, high = map(float, row[quality].split("[")[-1].strip("]").split(","))
        assert -1 < low <= high < 1
    (sentence,) = [one for one in planted.findings if one.text.startswith(f"{remedy}.")]
    assert sentence.strength == "found"
    assert float(sentence.text.split("a loss of ")[1].split(" ")[0]) < 1


def test_a_search_that_keeps_shares_is_even_and_leaves_the_association(planted: Analysis) -> None:
    for name in ("Constrained search (DetGreedy)", "Constrained search (DetCons)"):
        assert the(planted, "max_skew", name).value == pytest.approx(0, abs=0.02)
        assert the(planted, "max_skew.change", name).ci_high < 0  # type: ignore[operator]
        assert not [m for m in planted.measures if m.label_set == name and m.metric.startswith("association")]
        (sentence,) = [one.text for one in planted.findings if one.text.startswith(name)]
        assert "does not mend: association with words" in sentence.split("It lessens", 1)[1]


def test_the_label_child_takes_harmful_labels_away_and_nothing_else(planted: Analysis) -> None:
    before, after = the(planted, "gap.harmful"), the(planted, "gap.harmful", "The label “child”")
    assert before.value > 0.1  # type: ignore[operator]
    assert abs(after.value) < before.value  # type: ignore[arg-type,operator]
    assert {m.metric for m in planted.measures if "child" in m.label_set} == {"gap.harmful", "gap.harmful.change"}


def test_none_is_found_where_none_was_planted() -> None:
    analysis = analysed(embedded(0.0, matched=False))
    for metric in ("max_skew", "association", "gap.right", "gap.harmful"):
        row = the(analysis, metric)
        assert row.ci_low <= 0 <= row.ci_high  # type: ignore[operator]
    assert not [one for one in analysis.findings if one.strength == "found"]


def test_a_half_is_measured_under_remedies_of_the_other() -> None:
    """Fitted to the images that are measured, a remedy would make both means equal, chance included."""
    samples = mitigation.score(embedded(0.0, matched=False), RULES, seed=0)
    for half in (0, 1):
        rows = samples[(samples["label_set"] == "Image direction removed") & (samples["half"] == half)]
        values = np.array(rows["association"].tolist())[:, 0]
        apart = values[rows["side"] == 0].mean() - values[rows["side"] == 1].mean()
        assert abs(apart) > 0.01 * values.std()


def test_max_skew_by_hand_and_as_the_retrieval_audit_has_it(planted: Analysis) -> None:
    samples = mitigation.score(embedded(PLANTED, scenes=900), RULES, seed=0)
    values, influences = [], []
    for half in (0, 1):
        rows = samples[(samples["label_set"] == "no remedy") & (samples["half"] == half)].reset_index(drop=True)
        found = np.array(rows["found"].tolist())[:, 0] == 1
        men, women = ((rows["side"] == side).to_numpy() for side in (0, 1))
        assert found.sum() == round(0.2 * len(rows))
        shares = [(one & found).sum() / found.sum() / one.mean() for one in (men, women)]
        ranked = rows["side"][np.argsort(~found, kind="stable")].tolist()
        (house,) = measured(ranked, int(found.sum()), rng=0).max_skew
        values.append(np.log(max(shares)))
        assert values[-1] == pytest.approx(house.interval.value)
        each = skews(rows, "found", favoured_in=rows)
        influences.append(each.mean())
        left_out = rows.drop(index=7)  # the jackknife: n times what one image changes
        change = skews(left_out, "found", favoured_in=left_out).mean() - values[-1]
        assert each[7] - values[-1] == pytest.approx(-len(rows) * change, abs=0.1)
    assert influences == pytest.approx(values)
    assert the(planted, "max_skew").value == pytest.approx(np.mean(values))
    assert apart(pd.DataFrame({"side": [0, 0, 1], "v": [1.0, 0.0, 2.0]}), "v").mean() == pytest.approx(0.5 - 2)


def test_chance_alone_is_no_skew() -> None:
    """Every search has a group that leads by chance; the other half does not confirm it."""
    rng = np.random.default_rng(5)
    halves = [
        pd.DataFrame({"side": np.arange(400) % 2, "found": (rng.random((400, 200)) < 0.2).astype(float).tolist()})
        for _ in range(2)
    ]
    for own, other in (halves, halves[::-1]):
        assert skews(own, "found", favoured_in=own).mean() > 0.05
        assert skews(own, "found", favoured_in=other).mean() == pytest.approx(0, abs=0.03)
    rows = pd.concat([part.assign(half=half) for half, part in enumerate(halves)], ignore_index=True)
    assert _by_half(rows, "max_skew").mean() > 0.05
    assert _by_half(rows, "max_skew", judged=True).mean() == pytest.approx(0, abs=0.03)
    absent = pd.DataFrame({"side": [0, 0, 1, 1], "found": [1.0, 1.0, 0.0, 0.0]})
    assert skews(absent, "found", favoured_in=absent).mean() == pytest.approx(np.log(2))
    women = absent.assign(found=[0.0, 0.0, 1.0, 1.0])  # the other half favours them; none is found here: 1 / k
    assert skews(absent, "found", favoured_in=women).mean() == pytest.approx(np.log(0.5 / 0.5))


def test_gain_and_cost_stand_in_a_chart(planted: Analysis) -> None:
    figures = {one.key: one for one in planted.figures}
    rows = figures["gain-association"].data.set_index("series")
    assert rows.loc["LEACE", "value"] == pytest.approx(0.5, abs=0.08)
    assert rows.loc["LEACE", "low"] < rows.loc["LEACE", "value"] < rows.loc["LEACE", "high"]
    assert abs(rows.loc["LEACE", "x"]) < 1
    assert figures["gain-max-skew"].data["x"].notna().all()


def test_halves_are_dealt_by_a_column() -> None:
    rules = protocol("bias/mitigation", SETTINGS | {"halves": "label_of"}, label_sets=SETS, decision="none")
    given = embedded(PLANTED)
    table = given.dataset.table.assign(label_of=given.dataset.table["label"])
    data = replace(given.dataset, table=table, attributes=(*given.dataset.attributes, "label_of"))
    samples = mitigation.score(replace(given, dataset=data), rules, seed=0)
    assert samples.groupby("label_of")["half"].nunique().max() == 1
    assert samples["half"].nunique() == 2
    assert not samples[["sample_id", "label_set"]].duplicated().any()


@pytest.mark.parametrize(
    ("settings", "sets", "message"),
    [
        ({"attribute": "race"}, {}, "needs the column"),
        ({"tests": [["career", "arts"]]}, {}, "lacks the label set"),
        ({}, {"task": {"labels": ["baker"]}}, "has a label of the task"),
    ],
)
def test_what_cannot_be_measured_is_refused(settings: Any, sets: Any, message: str) -> None:
    rules = protocol("bias/mitigation", SETTINGS | settings, label_sets=SETS | sets, decision="none")
    with pytest.raises(BadInput, match=message):
        mitigation.plan(dataset(["cook"], gender=["m"]), rules, seed=0)


@pytest.mark.parametrize("name", protocol_names("bias/mitigation"))
def test_the_shipped_protocols_can_be_used(name: str) -> None:
    rules = read_protocol("bias/mitigation", name)
    data = dataset(
        ["cook", "judge"], gender=["male", "female"], skin_tone=["light", "dark"], occupation=["cook", "judge"]
    )
    assert len(mitigation.plan(data, rules, seed=0)) == 2
    assert name in find("bias/mitigation").protocols
