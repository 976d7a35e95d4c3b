"""The scene audit measures planted answers exactly, finds the planted fall, and none where none is planted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from audits import stages
from audits.analysis import Analysis
from audits.catalogue import find, read_protocol
from audits.contracts import Embedded
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol, parse
from tests.audits.planted import stages_of
from workbench.errors import BadInput

scenes = stages_of("surveillance/scenes")

AUDIT = find("surveillance/scenes")
PLACES = ("car park", "street", "shop", "corridor", "garden", "kitchen")
NEAR = "{} with a dog"
EACH = 10  # pictures of one place


def rules(**settings: object) -> Protocol:
    return parse(
        {"schema": 1, "name": "t", "audit": AUDIT.key, "title": "t", "templates": ["{}."], "settings": settings}
    )


@pytest.fixture
def world(dataset: Callable[..., Dataset], embedded: Callable[..., Embedded]) -> Callable[..., Embedded]:
    """Return a function: of each place's ten pictures, so many are taken for the close caption, so many for another."""

    def make(near: int = 0, other: int = 0, fine: int = EACH // 2) -> Embedded:
        captions = [*PLACES, *(NEAR.format(place) for place in PLACES), "day", "night"]
        axis = {caption: row for caption, row in zip(captions, np.eye(len(captions)), strict=True)}
        rows, images = [], {}
        for place_at, place in enumerate(PLACES):
            for at in range(EACH):
                name = f"{place}-{at}"
                rows.append(
                    {
                        "sample_id": name,
                        "label": place,
                        "distractor": NEAR.format(place),
                        "fine": "day|night",
                        "fine_true": "night",
                        "light": "grey" if at % 2 else "colour",
                    }
                )
                seen = axis[place] + 0.1 * axis[NEAR.format(place)]  # the place first, its close caption next
                if at < near:
                    seen = axis[NEAR.format(place)] + 0.1 * axis[place]
                elif at < near + other:
                    seen = axis[PLACES[(place_at + 1) % len(PLACES)]]
                images[name] = seen + 0.2 * axis["night" if at < fine else "day"]
        return embedded(dataset(rows), images, {f"{caption}.": row for caption, row in axis.items()})

    return make


def analysed(result: Embedded, given: Protocol | None = None) -> Analysis:
    given = given or rules()
    return scenes.analyse(scenes.score(result, given, seed=0), given, model=result.model, seed=0)


def value(result: Analysis, metric: str, task: str, **where: str) -> float | None:
    rows = [
        m
        for m in result.measures
        if (m.metric, m.label_set, dict(m.slice), m.contrast != "between_groups") == (metric, task, where, True)
    ]
    assert len(rows) == 1
    return rows[0].value


def strengths(result: Analysis, part: str) -> set[str]:
    return {finding.strength for finding in result.findings if part in finding.text}


def test_planted_answers_come_back_as_shares(world: Callable[..., Embedded]) -> None:
    result = analysed(world(near=4, other=1, fine=7))
    assert value(result, "accuracy", "coarse") == pytest.approx(0.9)  # the close caption is no option yet
    assert value(result, "accuracy", "stress") == pytest.approx(0.5)
    assert value(result, "close_confusion", "stress") == pytest.approx(0.4)
    assert value(result, "other_error", "stress") == pytest.approx(0.1)
    assert value(result, "accuracy_drop", "stress") == pytest.approx(0.4)
    assert value(result, "accuracy", "fine") == pytest.approx(0.7)
    assert value(result, "close_confusion", "stress", light="grey") == pytest.approx(0.4)
    assert strengths(result, "falls by") == {"found"}
    assert strengths(result, "accuracy of the coarse task, ") == {"found"}


def test_no_fall_and_no_fine_sight_are_found_where_none_are_planted(world: Callable[..., Embedded]) -> None:
    result = analysed(world(fine=5))
    assert value(result, "accuracy_drop", "stress") == 0.0
    assert strengths(result, "falls when") == {"no evidence"}
    assert strengths(result, "accuracy of the fine task, ") == {"no evidence"}
    assert strengths(result, "differs by") == {"no evidence"}


def test_guessing_stands_beside_each_accuracy(world: Callable[..., Embedded]) -> None:
    rows = {m.label_set: m.null_mean for m in analysed(world()).measures if m.metric == "accuracy" and not m.slice_by}
    assert rows == {"coarse": pytest.approx(1 / 6), "stress": pytest.approx(1 / 7), "fine": pytest.approx(1 / 2)}


def test_a_task_without_captions_is_not_measured(world: Callable[..., Embedded]) -> None:
    blank = world()
    blank.dataset.table["fine"], blank.dataset.table["fine_true"] = "", ""
    result = analysed(blank)
    assert strengths(result, "fine task") == {"not measured"}
    few = analysed(blank, rules(min_n=1000))
    assert strengths(few, "falls when") == {"not judged"}


def test_nothing_to_ask_is_refused(world: Callable[..., Embedded]) -> None:
    blank = world()
    blank.dataset.table["fine"], blank.dataset.table["fine_true"] = "", ""
    with pytest.raises(BadInput, match="No task of the protocol"):
        analysed(blank, rules(tasks=["fine"]))


def test_two_runs_are_equal_and_a_rate_is_the_mean_of_its_outcome(world: Callable[..., Embedded]) -> None:
    result, given = world(near=3), rules()
    samples = scenes.score(result, given, seed=0)
    assert samples.equals(scenes.score(result, given, seed=0))
    first, again = (scenes.analyse(samples, given, model=result.model, seed=0) for _ in "12")
    assert first.measures == again.measures
    for row in first.measures:
        if row.metric in ("accuracy", "close_confusion", "other_error") and row.contrast == "none":
            inside = samples[samples["label_set"] == row.label_set]
            for name, wanted in row.slice.items():
                inside = inside[inside[name] == wanted]
            assert row.value == pytest.approx(inside[f"outcome:{row.metric}"].mean())


def test_the_shipped_protocol_shows_the_papers_numbers_beside_ours(world: Callable[..., Embedded]) -> None:
    shipped = read_protocol(AUDIT.key, AUDIT.protocols[0])
    result = world()
    texts = scenes.texts(result.dataset, shipped)
    assert set(texts) == set(result.texts)
    samples = scenes.score(result, shipped, seed=0)
    rows = stages.analysed(scenes, samples, shipped, model=result.model, seed=0).measures
    beside = {(m.metric, m.label_set): m.published_value for m in rows if not m.slice and m.contrast == "none"}
    assert beside["accuracy", "coarse"] == 0.918
    assert beside["accuracy", "stress"] == 0.511
    assert beside["close_confusion", "stress"] == 0.407
    assert AUDIT.people
    assert "out of scope" in AUDIT.intended_use
