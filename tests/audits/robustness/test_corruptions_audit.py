"""The audit of corruptions: planted losses come back with their size, and none is found where none is planted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audits.analysis import Analysis
from audits.catalogue import find as audit
from audits.catalogue import protocol_names, read_protocol
from audits.contracts import CLEAN, Item
from audits.robustness.corruptions.change import CORRUPTIONS, disturb
from tests.audits.in_memory import measure
from tests.audits.planted import dataset, embedded, facts, find, one_hot, protocol, stages_of
from workbench.errors import BadInput, UnknownName
from workbench.fake import COLOURS, FakeBackend
from workbench.statistics.measures import table

corruptions = stages_of("robustness/corruptions")

LABELS = ("cat", "dog")
EVERY = tuple(row.name for row in CORRUPTIONS)


def planted(lost: dict[str, int], n: int = 40, **settings: object) -> Analysis:
    """Of n pictures that are right undisturbed, `lost["fog:3"]` are wrong under fog at severity 3."""
    data = dataset([LABELS[at % 2] for at in range(n)])
    rules = protocol("robustness/corruptions", {"corruptions": ["fog", "snow"], "severities": [1, 3], **settings})
    items = corruptions.plan(data, rules, seed=0)
    rows = []
    for item in items:
        at = int(item.sample_id[1:])
        wrong = at < lost.get(item.variant, 0)
        rows.append(np.eye(2)[(at + wrong) % 2])
    handed = embedded(data, np.array(rows), one_hot(LABELS), items=tuple(items))
    return corruptions.analyse(corruptions.score(handed, rules, seed=0), rules, model=facts(2), seed=0)


@pytest.mark.heavy
def test_planted_losses_come_back_with_their_size() -> None:
    analysis = planted({"fog:1": 10, "fog:3": 30})
    assert find(analysis, "accuracy", corruption="none").value == 1
    assert find(analysis, "accuracy", corruption="fog", severity="3").value == 0.25
    assert find(analysis, "accuracy", corruption="fog").value == 0.5
    assert find(analysis, "accuracy", severity="1").value == pytest.approx(70 / 80)
    assert find(analysis, "accuracy", family="weather").value == pytest.approx(0.75)
    assert find(analysis, "accuracy_change", corruption="fog").value == pytest.approx(-0.5)
    assert find(analysis, "accuracy_change", corruption="fog").p_adj < 0.01  # type: ignore[operator]
    assert find(analysis, "accuracy_change").value == pytest.approx(-0.25)
    assert find(analysis, "relative_drop", corruption="fog", severity="3").value == pytest.approx(0.75)
    assert find(analysis, "accuracy_change", corruption="snow").value == 0
    message = {one.text.split(" by ")[0].split(":")[-1].strip(): one.strength for one in analysis.findings}
    assert message["fog lowers accuracy"] == "found"
    (snow,) = [
        one for one in analysis.findings if one.text.startswith("No evidence that snow changes accuracy: 0.0 points")
    ]
    assert "n = 40" in snow.text
    assert snow.strength == "no evidence"


@pytest.mark.heavy
def test_none_is_found_where_none_is_planted() -> None:
    analysis = planted({})
    assert {one.strength for one in analysis.findings} == {"no evidence"}
    assert all(m.value == 0 for m in analysis.measures if m.metric in ("accuracy_change", "relative_drop"))


def test_several_forms_of_one_picture_are_not_several_pictures() -> None:
    analysis = planted({"fog:1": 10, "fog:3": 10}, n=20)
    pooled = find(analysis, "accuracy", corruption="fog")
    one = find(analysis, "accuracy", corruption="fog", severity="1")
    assert (pooled.n, one.n) == (40, 20)
    assert pooled.ci_high - pooled.ci_low > 0.9 * (one.ci_high - one.ci_low)  # type: ignore[operator]
    assert find(analysis, "accuracy_change", corruption="fog").n == 20


def baseline(**errors: float) -> dict[str, object]:
    return {"name": "Other", "version": "2", "source": "nowhere", "errors": errors}


@pytest.mark.heavy
def test_mce_needs_a_stated_baseline_and_is_in_its_units() -> None:
    assert find(planted({"fog:1": 10}, n=20), "mce").value is None
    five = {"severities": [1, 2, 3, 4, 5], "baseline": baseline(fog=0.5, snow=0.25)}
    lost = {f"{name}:{at}": 10 for name in ("fog", "snow") for at in range(1, 6)}
    result = find(planted(lost, n=20, **five), "mce")
    assert result.value == pytest.approx((0.5 / 0.5 + 0.5 / 0.25) / 2)
    assert result.reference == "Other version 2"
    partly = find(planted(lost, n=20, baseline=baseline(fog=0.5, snow=0.25)), "mce")  # two severities
    assert partly.value is None
    assert "severities" in partly.ci_method
    other = find(planted(lost, n=20, **{**five, "baseline": baseline(fog=0.5)}), "mce")
    assert other.value is None


def test_a_picture_is_cut_to_its_square_and_then_disturbed() -> None:
    wide = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8))
    recipe = {"corruption": "", "severity": 0, "size": 48, "seed": 3}
    square = corruptions.change(wide, Item("a", CLEAN, json.dumps(recipe)))
    assert square.size == (48, 48)
    for name in ("fog", "jpeg_compression"):
        recipe |= {"corruption": name, "severity": 2}
        spoilt = corruptions.change(wide, Item("a", f"{name}:2", json.dumps(recipe)))
        assert np.array_equal(spoilt, disturb(square, name, 2, seed=3, sample_id="a"))


@pytest.mark.heavy
def test_colours_turn_pale_in_bright_light_and_stay_without(tmp_path: Path) -> None:
    """`FakeBackend` sees colours only: light makes black grey, and low contrast leaves a plain picture as it is."""
    for at, value in enumerate(COLOURS.values()):
        Image.new("RGB", (96, 96), value).save(tmp_path / f"s{at:04d}.png")
    data = dataset(list(COLOURS), tmp_path)
    rules = protocol(
        "robustness/corruptions", {"size": 80, "corruptions": ["brightness", "contrast"], "severities": [5]}
    )
    one, two = (measure(audit("robustness/corruptions"), FakeBackend(), data, rules=rules) for _ in "12")
    assert find(one, "accuracy", corruption="none").value == 1
    assert find(one, "accuracy", corruption="contrast").value == 1
    assert find(one, "accuracy", corruption="brightness").value < 1  # type: ignore[operator]
    assert table(one.measures).equals(table(two.measures))


def test_the_plan_holds_every_form_and_choices_hold_the_truth() -> None:
    data = dataset([f"thing {at}" for at in range(30)], cluster=[f"c{at // 2}" for at in range(30)])
    rules = protocol("robustness/corruptions", {"pictures": 15, "choices": 4})
    items = corruptions.plan(data, rules, seed=0)
    assert len(items) == 15 * (1 + 15 * 5)
    clusters = dict(zip(data.table["sample_id"], data.table["cluster"], strict=True))
    assert len({clusters[item.sample_id] for item in items}) == 15  # one of each before a second of any
    assert {item.variant for item in items} == {CLEAN, *(f"{name}:{at}" for name in EVERY for at in range(1, 6))}


def test_wrong_protocols_are_refused() -> None:
    data = dataset(["cat", "dog"])
    with pytest.raises(UnknownName, match="fogg"):
        corruptions.plan(data, protocol("robustness/corruptions", {"corruptions": ["fogg"]}), seed=0)
    with pytest.raises(BadInput, match=r"\[6\]"):
        corruptions.plan(data, protocol("robustness/corruptions", {"severities": [6]}), seed=0)
    other = protocol("robustness/corruptions", label_sets={"x": {"labels": ["a", "b"]}})
    with pytest.raises(BadInput, match="No image"):
        corruptions.plan(data, other, seed=0)
    for name in protocol_names("robustness/corruptions"):
        corruptions.plan(data, read_protocol("robustness/corruptions", name), seed=0)
    alexnet = read_protocol("robustness/corruptions", "imagenet-c").settings["baseline"]["errors"]
    assert tuple(alexnet) == EVERY
