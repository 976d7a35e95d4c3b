"""Prompts: a template that fails is found with its size, and equal ones are not told apart by chance."""

from __future__ import annotations

import numpy as np
import pytest

from audits.analysis import Analysis
from audits.catalogue import protocol_names, read_protocol
from audits.limits.prompts.analyse import ENSEMBLE, chance_spread
from tests.audits.planted import dataset, embedded, facts, find, protocol, stages_of
from workbench.errors import BadInput
from workbench.prompts import EIGHTY, SEVEN
from workbench.statistics.measures import table

prompts = stages_of("limits/prompts")

LABELS = ("cat", "dog")
TEMPLATES = ["a {}.", "the {}.", "my {}."]


def planted(
    wrong: dict[str, float], n: int = 60, *, noise: float = 0.0, templates: list[str] | None = None
) -> Analysis:
    """A template with `wrong` 0.5 names half of the pictures with the other label; `noise` is luck of its own."""
    kept = templates or TEMPLATES
    request = [*kept, "{}"]
    rng = np.random.default_rng(0)
    labels = [LABELS[at % 2] for at in range(n)]
    dim = 2 * len(request)  # each template looks at two dimensions of its own
    images = np.zeros((n, dim))
    for place, template in enumerate(request):
        miss = (np.arange(n) < wrong.get(template, 0.0) * n) ^ (rng.random(n) < noise)
        for at in range(n):
            images[at, 2 * place + (at + miss[at]) % 2] = 1 / np.sqrt(len(request))
    texts = {
        template.replace("{}", label): np.eye(dim)[2 * place + side]
        for place, template in enumerate(request)
        for side, label in enumerate(LABELS)
    }
    rules = protocol("limits/prompts", {"reference": kept[0], "draws": 500}, templates=kept)
    data = dataset(labels)
    assert set(prompts.texts(data, rules)) == set(texts)
    samples = prompts.score(embedded(data, images, texts), rules, seed=0)
    return prompts.analyse(samples, rules, model=facts(dim), seed=0)


def test_a_template_that_fails_is_found_with_its_size() -> None:
    analysis = planted({"my {}.": 0.5})
    assert find(analysis, "accuracy", template="my {}.").value == pytest.approx(0.5)
    assert find(analysis, "accuracy", template="a {}.").value == 1
    spread = find(analysis, "spread")
    assert spread.value == pytest.approx(0.5)
    assert spread.null_q95 < 0.5  # type: ignore[operator]
    assert spread.p_adj < 0.01  # type: ignore[operator]
    assert spread.reference == "my {}. to a {}."
    assert find(analysis, "agreement").value == pytest.approx(0.5)
    assert find(analysis, "accuracy", template=ENSEMBLE).value == 1  # two of three templates outvote it
    assert [one.strength for one in analysis.findings if one.metric == "spread"] == ["found"]


def test_equal_templates_with_luck_of_their_own_are_not_told_apart() -> None:
    analysis = planted({}, noise=0.3)
    spread = find(analysis, "spread")
    assert spread.value > 0  # type: ignore[operator]
    assert spread.p_value > 0.05  # type: ignore[operator]
    assert [one.strength for one in analysis.findings if one.metric == "spread"] == ["no evidence"]
    same = planted({})
    assert (find(same, "spread").value, find(same, "spread").p_value, find(same, "agreement").value) == (0, 1, 1)
    assert find(same, "spread").ci_high > 0  # type: ignore[operator]
    for one in (analysis, same):
        (text,) = [row.text for row in one.findings if row.metric == "spread"]
        assert "The smallest difference that these" in text


def test_averaging_is_compared_picture_by_picture_with_the_reference() -> None:
    analysis = planted({"a {}.": 0.5})  # the reference itself fails
    gain = find(analysis, "ensemble_gain")
    assert gain.value == pytest.approx(0.5)
    assert gain.p_adj < 0.01  # type: ignore[operator]
    assert gain.reference == "a {}."
    assert find(analysis, "template_gain").value == pytest.approx(-0.5)  # against the bare label, which is right
    assert {one.metric: one.strength for one in analysis.findings}["ensemble_gain"] == "found"


def test_the_spread_of_chance_by_hand() -> None:
    one_right = np.array([[1.0, 0.0]] * 1)
    assert set(chance_spread(one_right, rng=np.random.default_rng(0), draws=50)) == {1.0}
    always = np.ones((5, 3))
    assert set(chance_spread(always, rng=np.random.default_rng(0), draws=5)) == {0.0}
    rows = np.array([[1.0, 0.0]] * 40)
    alone = chance_spread(rows, rng=np.random.default_rng(0), draws=400)
    together = chance_spread(rows, rng=np.random.default_rng(0), draws=400, cluster=["a"] * 20 + ["b"] * 20)
    assert alone.mean() == pytest.approx(np.sqrt(2 / np.pi) / np.sqrt(40), rel=0.15)  # |mean of 40 signs|
    assert set(together) == {0.0, 1.0}  # two clusters: both the same way, or not


def test_false_alarms_are_rare() -> None:
    result = 0
    for seed in range(40):
        right = (np.random.default_rng(seed).random((50, 6)) < 0.6).astype(float)
        means = right.mean(axis=0)
        null = chance_spread(right, rng=np.random.default_rng(seed + 100), draws=200)
        result += (1 + (null >= means.max() - means.min() - 1e-12).sum()) / 201 < 0.05
    assert result <= 6  # of 40 at 5 %: more has a probability below 1 %


def test_one_template_has_no_spread_and_few_pictures_no_conclusion() -> None:
    analysis = planted({}, n=8, templates=["a {}."])
    assert find(analysis, "spread").value is None
    assert {one.strength for one in analysis.findings} <= {"not measured", "not judged"}


def test_the_same_seed_gives_the_same_table() -> None:
    one, two = (table(planted({"my {}.": 0.2}, noise=0.1).measures) for _ in "12")
    assert one.equals(two)


def test_the_shipped_protocols_hold_the_templates_of_their_source() -> None:
    assert protocol_names("limits/prompts") == ("eighty", "seven")
    assert read_protocol("limits/prompts", "eighty").templates == EIGHTY.templates
    assert read_protocol("limits/prompts", "seven").templates == SEVEN.templates
    for name in protocol_names("limits/prompts"):
        rules = read_protocol("limits/prompts", name)
        assert prompts.Settings.model_validate(rules.settings).reference in rules.templates
    other = protocol("limits/prompts", label_sets={"x": {"labels": ["a", "b"]}})
    with pytest.raises(BadInput, match="No image"):
        prompts.plan(dataset(["cat", "dog"]), other, seed=0)
