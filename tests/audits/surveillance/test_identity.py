"""The identity audit measures planted errors with their size, whose they are, and tells nobody's identity."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from audits.analysis import Analysis
from audits.catalogue import find, read_protocol
from audits.contracts import Embedded
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol, parse
from audits.surveillance.identity.analyse import equal_error
from tests.audits.planted import stages_of

identity = stages_of("surveillance/identity")

AUDIT = find("surveillance/identity")
SUBJECTS = 40  # the even ones are of group A, the odd ones of group B


def rules(**settings: object) -> Protocol:
    content = {"schema": 1, "name": "t", "audit": AUDIT.key, "title": "t", "templates": ["{}"], "settings": settings}
    return parse(content)


@pytest.fixture
def people(dataset: Callable[..., Dataset], embedded: Callable[..., Embedded]) -> Callable[..., Embedded]:
    """Return a function: subjects on axes of their own, one gallery picture and two probes each.

    `lost` of group B's subjects have a second probe that looks like nobody; `twins` pairs of subjects look alike.
    """

    def make(lost: int = 0, twins: int = 0) -> Embedded:
        axes = np.eye(2 * SUBJECTS)
        rows, images, texts = [], {}, {}
        for at in range(SUBJECTS):
            name, odd = f"Zed-{at:03d}", at % 2
            mine = axes[at - 1] if odd and at < 2 * twins else axes[at]
            texts[name] = mine
            for view in range(3):
                key = f"{name}_{view}"
                rows.append(
                    {
                        "sample_id": key,
                        "label": name,
                        "cluster": name,
                        "split": "probe" if view else "gallery",
                        "group": "B" if odd else "A",
                    }
                )
                images[key] = axes[SUBJECTS + at] if odd and view == 2 and at < 2 * lost else mine
        return embedded(dataset(rows), images, texts)

    return make


def analysed(result: Embedded, given: Protocol | None = None) -> Analysis:
    given = given or rules(gallery_sizes=[5, 40, 1000])
    return identity.analyse(identity.score(result, given, seed=0), given, model=result.model, seed=0)


def value(result: Analysis, metric: str, **where: str) -> float | None:
    rows = [m for m in result.measures if m.metric == metric and dict(m.slice) == where and m.contrast == "none"]
    assert len(rows) == 1
    return rows[0].value


def test_a_model_that_tells_all_apart_makes_no_error(people: Callable[..., Embedded]) -> None:
    result = analysed(people())
    assert value(result, "top1@5") == value(result, "top1@40") == 1.0
    assert value(result, "false_match") == value(result, "false_non_match") == 0.0
    assert value(result, "equal_error_rate") == pytest.approx(0.0, abs=1e-9)
    assert [f.strength for f in result.findings if "false non-match rate" in f.text] == ["no evidence"]


def test_a_planted_loss_in_one_group_is_found_there_with_its_size(people: Callable[..., Embedded]) -> None:
    result = analysed(people(lost=10))  # of 20 subjects with two probes each: a quarter of group B's probes
    assert value(result, "false_non_match", group="B") == pytest.approx(0.25)
    assert value(result, "false_non_match", group="A") == 0.0
    assert value(result, "top1@40", group="B") == pytest.approx(0.75)
    assert value(result, "top1@40") == pytest.approx(0.875)
    output = next(f for f in result.findings if "false non-match rate" in f.text)
    assert output.strength == "found"
    assert ", A to B;" in output.text
    assert value(result, "equal_error_rate", group="B") > value(result, "equal_error_rate", group="A")


def test_accuracy_falls_with_the_gallery_as_counted_by_hand(people: Callable[..., Embedded]) -> None:
    result = analysed(people(twins=10))  # 20 of 40 subjects have a twin among the other 39
    for size in (5, 40):
        met = (size - 1) / (SUBJECTS - 1)  # the chance that the twin is in the gallery
        assert value(result, f"top1@{size}") == pytest.approx(0.5 + 0.5 * (1 - met))
    drawn = (result.tables or {})["Drawn galleries"].set_index("subjects")
    assert drawn.loc[40, "median top1"] == 0.5
    assert drawn.loc[5, "2.5 %"] < drawn.loc[5, "97.5 %"]


def test_strangers_that_look_alike_are_false_matches_unless_the_threshold_keeps_them_out(
    people: Callable[..., Embedded],
) -> None:
    few = people(twins=2)  # 4 subjects x 2 probes of 80 x 39 comparisons with strangers: 0.26 %
    result = analysed(few, rules(gallery_sizes=[5], false_match=0.01))
    assert value(result, "false_match") == pytest.approx(8 / (80 * 39))
    assert value(result, "false_non_match") == 0.0
    strict = analysed(few, rules(gallery_sizes=[5], false_match=0.002))
    assert value(strict, "false_match") == 0.0  # the twins score 1: only a threshold above that keeps them out
    assert value(strict, "false_non_match") == 1.0
    assert "does not separate these subjects" in strict.sanity[0]


def test_false_matches_within_a_group_count_its_own_strangers(
    dataset: Callable[..., Dataset], embedded: Callable[..., Embedded]
) -> None:
    groups = ("A", "A", "A", "B", "B", "B")
    axes = np.eye(6)
    looks = [axes[0], axes[0], axes[2], axes[3], axes[4], axes[5]]  # the first two, both of group A, look alike
    rows = [
        {"sample_id": f"{at}{view}", "label": str(at), "split": "" if view else "gallery", "group": group}
        for at, group in enumerate(groups)
        for view in range(2)
    ]
    images = {row["sample_id"]: looks[int(row["label"])] for row in rows}
    result = analysed(embedded(dataset(rows), images), rules(gallery_sizes=[6], false_match=0.1))
    assert value(result, "false_match_within group", group="A") == pytest.approx(2 / 6)  # 2 of 3 probes x 2 strangers
    assert value(result, "false_match_within group", group="B") == 0.0
    assert value(result, "false_match", group="A") == pytest.approx(2 / 15)


def test_no_identity_leaves_the_audit(people: Callable[..., Embedded]) -> None:
    given = rules(gallery_sizes=[5])
    result = people(lost=3, twins=3)
    samples = identity.score(result, given, seed=0)
    assert "Zed" not in samples.to_csv()
    assert set(samples["y_pred"].dropna()) <= {"the subject", "another"}
    assert not {"topk", "scores", "path", "label"} & set(samples)
    output = identity.analyse(samples, given, model=result.model, seed=0)
    assert "Zed" not in repr(output)
    assert samples["cluster"].iloc[0].startswith("s0")
    place = dict(zip(result.dataset.table["sample_id"], range(len(result.dataset.table)), strict=True))
    assert list(samples["sample_id"].iloc[:80]) != [f"p{at:05d}" for at in place.values()][:80]


def test_names_are_compared_with_prompts(people: Callable[..., Embedded]) -> None:
    given = rules(mode="name", gallery_sizes=[40])
    result = people(lost=10)
    assert set(identity.texts(result.dataset, given)) == set(result.texts)
    assert value(analysed(result, given), "top1@40") == pytest.approx(1 - 10 / 120)
    assert identity.texts(result.dataset, rules()) == []


def test_what_there_is_too_little_of_is_not_measured(people: Callable[..., Embedded]) -> None:
    result = analysed(people())
    beyond = [f for f in result.findings if f.metric == "top1@1000"]
    assert [f.strength for f in beyond] == ["not measured"]
    assert not any(m.metric == "top1@1000" for m in result.measures)
    few = analysed(people(), rules(gallery_sizes=[5], min_n=81))
    assert {f.strength for f in few.findings} == {"not judged"}


def test_the_equal_error_rate_is_where_the_curves_cross() -> None:
    match, non_match = [1.0, 0.6, 0.2, 0.0], [0.0, 0.0, 0.4, 1.0]
    rows = np.array([[*match, *non_match, 1.0], [*match, *non_match, 1.0]])
    # between thresholds 1 and 2: 0.6 - 0.4 s = 0.4 s, so s = 0.75 and both are 0.3
    assert equal_error(rows) == pytest.approx(0.3)
    assert equal_error(np.array([[1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]])) < 1.0


def test_two_runs_are_equal_and_a_rate_is_the_mean_of_its_outcome(people: Callable[..., Embedded]) -> None:
    result, given = people(lost=6, twins=4), rules(gallery_sizes=[5])
    samples = identity.score(result, given, seed=0)
    assert samples.equals(identity.score(result, given, seed=0))
    first, again = (identity.analyse(samples, given, model=result.model, seed=0) for _ in "12")
    assert first.measures == again.measures
    for row in first.measures:
        if f"outcome:{row.metric}" in samples and row.contrast == "none":
            inside = samples
            for name, wanted in row.slice.items():
                inside = inside[inside[name] == wanted]
            assert row.value == pytest.approx(inside[f"outcome:{row.metric}"].mean())


@pytest.mark.parametrize("name", AUDIT.protocols)
def test_the_shipped_protocols_show_the_papers_numbers(name: str, people: Callable[..., Embedded]) -> None:
    shipped = read_protocol(AUDIT.key, name)
    assert {entry.metric for entry in shipped.published} == {"top1@100", "top1@1000", "top1@2000"}
    assert identity.plan(people().dataset, shipped, seed=0)
    assert "out of scope" in AUDIT.intended_use
    assert "Equal performance across groups is not acceptable use" in AUDIT.intended_use
