"""Association: planted embeddings give the effect size worked out by hand, alike groups give none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audits import protocol
from audits.catalogue import find, protocol_names, read_protocol
from audits.contracts import Embedded, Item
from tests.audits.planted import stages_of
from workbench.errors import BadInput

association = stages_of("bias/association")

CONTENT: dict[str, Any] = {
    "schema": 1,
    "name": "small",
    "audit": "bias/association",
    "title": "Small",
    "templates": ["{}"],
    "label_sets": {"good": {"labels": ["love"]}, "bad": {"labels": ["hate"]}},
    "decision": "none",
    "settings": {"tests": {"colour": {"attribute": "group", "x": ["X"], "y": ["Y"], "a": "good", "b": "bad"}}},
}
RULES = protocol.parse(CONTENT)
GOLDEN = {"X": [(1.0, 0.0), (0.8, 0.6)], "Y": [(0.0, 1.0), (0.6, 0.8)]}  # love is (1, 0), hate is (0, 1)


def _embedded(facts: Any, dataset: Any, groups: dict[str, list[tuple[float, float]]]) -> Embedded:
    rows = [{"group": name} for name, vectors in groups.items() for _ in vectors]
    images = np.array([vector for vectors in groups.values() for vector in vectors], np.float32)
    items = tuple(Item(f"{at:05d}") for at in range(len(rows)))
    axes = np.eye(2, dtype=np.float32)
    return Embedded(facts, dataset(rows), items, images, {"love": axes[0], "hate": axes[1]})


def _analysed(embedded: Embedded, rules: Any = RULES) -> Any:
    samples = association.score(embedded, rules, seed=0)
    return association.analyse(samples, rules, model=embedded.model, seed=0)


def test_the_golden_effect_size(facts: Any, dataset: Any, the: Any) -> None:
    analysis = _analysed(_embedded(facts, dataset, GOLDEN))
    d = the(analysis, "association.d", contrast="between_groups")
    assert (d.value, d.n) == (pytest.approx(1.441153, abs=1e-5), 4)
    assert d.p_value == pytest.approx(2 / 6)  # of the six splits, two are as extreme


def test_swapping_the_groups_or_the_words_turns_the_sign(facts: Any, dataset: Any, the: Any) -> None:
    embedded = _embedded(facts, dataset, GOLDEN)
    for change in ({"x": ["Y"], "y": ["X"]}, {"a": "bad", "b": "good"}):
        test = CONTENT["settings"]["tests"]["colour"] | change
        analysis = _analysed(embedded, protocol.parse(CONTENT | {"settings": {"tests": {"turned": test}}}))
        assert the(analysis, "association.d", contrast="between_groups").value == pytest.approx(-1.441153, abs=1e-5)


def _cloud(angle: float, n: int, seed: int) -> list[tuple[float, float]]:
    angles = np.random.default_rng(seed).normal(angle, 0.1, n)
    return [(float(np.cos(a)), float(np.sin(a))) for a in angles]


def test_a_planted_association_is_found_with_its_direction(facts: Any, dataset: Any, the: Any) -> None:
    analysis = _analysed(_embedded(facts, dataset, {"X": _cloud(0.5, 40, 1), "Y": _cloud(1.0, 40, 2)}))
    d = the(analysis, "association.d", contrast="between_groups")
    assert d.ci_low > 1
    assert d.p_adj < 0.001
    assert [f.strength for f in analysis.findings] == ["found"]
    assert "group X lies nearer to good, and Y to bad" in analysis.findings[0].text
    share = the(analysis, "nearer", slice={"group": "X"})
    assert (share.value, share.n) == (pytest.approx(1.0, abs=0.05), 40)  # angles below 45 degrees


def test_what_hangs_on_one_word_is_a_note_and_no_finding(facts: Any, dataset: Any) -> None:
    rows = [{"group": name} for name in "X" * 30 + "Y" * 30]
    rng = np.random.default_rng(5)
    images = np.zeros((60, 3), np.float32)
    images[:30, 0], images[30:, 1] = (
        1.0,
        1.0,
    )  # only one of the two good words tells them apart, the other turns it round
    images += rng.normal(0, 0.05, images.shape).astype(np.float32)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    axes = np.eye(3, dtype=np.float32)
    words = {"love": axes[0], "peace": (0.8 * axes[1] + 0.6 * axes[2]).astype(np.float32), "hate": axes[2]}
    sets = {"good": {"labels": ["love", "peace"]}, "bad": {"labels": ["hate"]}}
    items = tuple(Item(f"{at:05d}") for at in range(60))
    embedded = Embedded(facts, dataset(rows), items, images, words)
    findings = _analysed(embedded, protocol.parse(CONTENT | {"label_sets": sets})).findings
    assert [f.strength for f in findings] == ["note"]
    assert "With exactly these words" in findings[0].text


def test_alike_groups_give_no_evidence(facts: Any, dataset: Any) -> None:
    analysis = _analysed(_embedded(facts, dataset, {"X": _cloud(0.7, 40, 3), "Y": _cloud(0.7, 40, 4)}))
    assert [f.strength for f in analysis.findings] == ["no evidence"]


def test_pictures_that_do_not_vary_or_are_too_few_are_not_measured(facts: Any, dataset: Any, the: Any) -> None:
    for groups in ({"X": [(1.0, 0.0)] * 5, "Y": [(1.0, 0.0)] * 5}, {"X": [(1.0, 0.0)], "Y": [(0.0, 1.0)] * 5}):
        analysis = _analysed(_embedded(facts, dataset, groups))
        assert [f.strength for f in analysis.findings] == ["not measured"]
        d = the(analysis, "association.d", contrast="between_groups")
        assert d.value is None
        assert "undefined" in d.flags


def test_only_pictures_of_a_group_are_planned(dataset: Any) -> None:
    data = dataset([{"group": name} for name in ("X", "Z", "Y", "")])
    assert [item.sample_id for item in association.plan(data, RULES, seed=0)] == ["00000", "00002"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": "love"}, "word sets that the protocol lacks: love"),
        ({"y": ["X"]}, "share X"),
        ({"attribute": "race"}, "needs the column"),
        ({"x": ["Q"], "y": ["R"]}, "No image"),
    ],
)
def test_a_test_that_cannot_be_done_is_refused(dataset: Any, change: dict[str, Any], message: str) -> None:
    tests = {"colour": CONTENT["settings"]["tests"]["colour"] | change}
    with pytest.raises(BadInput, match=message):
        association.plan(dataset([{"group": "X"}]), protocol.parse(CONTENT | {"settings": {"tests": tests}}), seed=0)


@pytest.mark.parametrize("name", protocol_names("bias/association"))
def test_the_shipped_word_lists_are_those_of_the_paper(name: str) -> None:
    rules = read_protocol("bias/association", name)
    sizes = {key: len(entry.labels) for key, entry in rules.label_sets.items()}
    assert sizes == {"pleasant": 25, "unpleasant": 25, "career": 8, "family": 8, "science": 8, "arts": 8}
    rules.settings_as(association.Settings)
    assert name in find("bias/association").protocols
