"""Negation: a model that understands "without", one that reads it as "with", and one that guesses are told apart."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from audits.analysis import Analysis
from audits.catalogue import protocol_names, read_protocol
from audits.datasets.dataset import Dataset
from audits.datasets.drawn_scenes import TAGS, tagged
from audits.limits.negation.score import Settings
from audits.tags import multiple_choice, searches, tags_of
from tests.audits.planted import dataset, embedded, facts, find, protocol, stages_of
from workbench.checkpoints.shipped import POCKET
from workbench.errors import BadInput
from workbench.retrieval.query import embed_query, parse_query

negation = stages_of("limits/negation")
SAID = {"without": "{x} without {y}", "absent": "no {y}", "positive": "has {x}"}
SAID |= {"negative": "lacks {y}", "hybrid": "has {x} lacks {y}"}
RULES = protocol("limits/negation", SAID, decision="none")
NAMES = ("ant", "bee", "cow", "dog", "elk", "fox")


def things() -> Dataset:
    pairs = [pair for pair in itertools.combinations(NAMES, 2) for _ in range(4)]
    return dataset([""] * len(pairs), tags=["; ".join(pair) for pair in pairs])


def planted(understood: float, *, data: Dataset | None = None) -> Analysis:
    """Words behind "no", "without" and "lacks" count with this weight: -1 for their meaning, 1 for their opposite."""
    data = data or things()
    axes = dict(zip(NAMES, np.eye(len(NAMES)), strict=True))

    def read(text: str) -> np.ndarray:
        total, sign = np.full(len(NAMES), 1e-3), 1.0
        for word in text.split():
            sign = understood if word in ("no", "without", "lacks") else sign
            total = total + sign * axes.get(word, 0.0)
        return total / np.linalg.norm(total)

    cells = data.table["tags"] if "tags" in data.table.columns else data.table["label"]
    images = np.stack([sum((axes[part.strip()] for part in cell.split(";")), np.zeros(6)) for cell in cells])
    images = images / np.linalg.norm(images, axis=1, keepdims=True)
    texts = {text: read(text) for text in negation.texts(data, RULES)}
    samples = negation.score(embedded(data, images, texts), RULES, seed=0)
    return negation.analyse(samples, RULES, model=facts(len(NAMES)), seed=0)


def test_a_model_that_reads_no_as_yes_is_found_at_its_size() -> None:
    analysis = planted(1.0)
    for label_set in ("x without y", "no y"):
        rows = {
            m.slice.get("query"): m for m in analysis.measures if m.label_set == label_set and m.metric == "right_order"
        }
        assert rows["sentence"].value == 0  # every image with y ranks above every image without
        assert rows["subtraction"].value == 1
        (gain,) = [
            m for m in analysis.measures if m.metric == "right_order.by_subtraction" and m.label_set == label_set
        ]
        assert gain.value == 1
        assert gain.ci_high <= 1  # type: ignore[operator]
    (agreement,) = [m for m in analysis.measures if m.metric == "agreement"]
    assert agreement.value == pytest.approx(1)
    assert find(analysis, "choice").value == 0
    assert find(analysis, "choice").null_mean == pytest.approx(1 / 4)
    assert sum("read as its opposite" in one.text for one in analysis.findings) == 2


def test_a_model_that_understands_needs_no_subtraction() -> None:
    analysis = planted(-1.0)
    assert find(analysis, "choice").value == 1
    assert find(analysis, "choice", kind="hybrid").value == 1
    rows = [m for m in analysis.measures if m.metric == "right_order" and m.slice["query"] == "sentence"]
    assert [m.value for m in rows] == [1, 1]
    changes = [m.value for m in analysis.measures if m.metric == "right_order.by_subtraction"]
    assert changes == [0, 0]
    assert not [one for one in analysis.findings if "opposite" in one.text or "agree" in one.metric]


def test_a_model_deaf_to_the_exclusion_is_at_one_half() -> None:
    analysis = planted(0.0)
    (row,) = [
        m for m in analysis.measures
        if m.metric == "right_order" and m.label_set == "x without y" and m.slice["query"] == "sentence"
    ]  # fmt: skip
    assert row.value == pytest.approx(0.5, abs=0.01)
    (change,) = [m for m in analysis.measures if m.metric == "right_order.by_sentence"]
    assert change.value == pytest.approx(0, abs=0.01)


def test_subtraction_is_that_of_search() -> None:
    vectors = {"cat": np.array([0.6, 0.8]), "dog": np.array([1.0, 0.0])}
    session = SimpleNamespace(
        embed_texts=lambda texts: torch.tensor(np.stack([vectors[text] for text in texts])), spec=POCKET
    )
    searched = embed_query(session, parse_query("cat - dog"))  # type: ignore[arg-type]
    from audits.limits.negation.score import _cosines, ways_to_ask

    asked = ways_to_ask("cat", "dog", {"a cat without a dog": vectors["cat"]}, Settings(**SAID), vectors)
    images = np.eye(2, dtype=np.float32)
    assert _cosines(images, asked)["subtraction"] == pytest.approx(searched, abs=1e-6)


def test_questions_hold_one_true_sentence() -> None:
    tags = tags_of(things(), 20)
    settings = Settings(**SAID)
    asked = multiple_choice(tags, settings.say)
    assert len(asked) == 3 * len(tags)
    for row in asked.to_dict("records"):
        present = tags[row["sample_id"]]
        for column in ("caption", "negative", "negative_2", "negative_3"):
            has, _, lacks = row[column].partition("lacks")
            true = all((word in present) for word in has.split() if word in NAMES)
            true &= all((word not in present) for word in lacks.split() if word in NAMES)
            assert true == (column == "caption"), row[column]
    assert set(searches(tags)) == set(itertools.permutations(NAMES, 2))
    assert tags_of(things(), 2) == {name: part & {"ant", "bee"} for name, part in tags.items()}


def test_labels_of_folders_are_tags_and_files_of_questions_are_asked_as_they_are() -> None:
    analysis = planted(-1.0, data=dataset([name for name in NAMES for _ in range(5)]))
    assert {m.label_set for m in analysis.measures} == {"multiple choice", "no y"}
    data = dataset(
        [""] * 8,
        caption=[f"t{at}" for at in range(8)],
        negative=["n"] * 4 + [""] * 4,
        negative_2=["m"] * 4 + [""] * 4,
        kind=["positive"] * 4 + ["retrieval"] * 4,
        source=["file"] * 8,
    )
    every = negation.texts(data, RULES)
    axes = dict(zip(every, np.eye(len(every)), strict=True))
    images = np.stack([axes[caption] for caption in data.table["caption"]])
    images[0] = axes["m"]  # one wrong choice
    samples = negation.score(embedded(data, images, axes), RULES, seed=0)
    result = negation.analyse(samples, RULES, model=facts(len(every)), seed=0)
    assert find(result, "choice", kind="positive").value == pytest.approx(3 / 4)
    assert find(result, "choice").null_mean == pytest.approx(1 / 3)
    assert find(result, "recall_at_5").value == 1


def test_captions_find_their_own_images_at_their_rank_and_beside_chance() -> None:
    count = 20
    captions = [f"t{at}" for at in range(count)]
    data = dataset([""] * count, caption=captions, negative=[""] * count, kind=["retrieval"] * count)
    axes = dict(zip(captions, np.eye(count), strict=True))
    images = np.eye(count)
    images[7] = 0.6 * axes["t7"] + 0.8 * axes["t0"]  # its own caption still finds it first, t0 does not lose its own
    for at in range(1, 7):  # six images lie nearer to t8 than image 8 does
        images[at] = 0.8 * axes[f"t{at}"] + 0.6 * axes["t8"]
    images[8] = 0.5 * axes["t8"] + np.sqrt(0.75) * axes["t9"]
    samples = negation.score(embedded(data, images, axes), RULES, seed=0)
    assert samples.loc[samples["outcome:recall_at_5"] == 0, "caption"].tolist() == ["t8"]
    row = find(negation.analyse(samples, RULES, model=facts(count), seed=0), "recall_at_5")
    assert row.value == pytest.approx(19 / 20)
    assert row.null_mean == pytest.approx(5 / 20)


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(BadInput, match="two tags or more"):
        negation.plan(dataset(["cat", "cat"]), RULES, seed=0)
    with pytest.raises(BadInput, match="names"):
        negation.plan(things(), protocol("limits/negation", {**SAID, "absent": "nothing"}), seed=0)
    for name in protocol_names("limits/negation"):
        assert negation.plan(things(), read_protocol("limits/negation", name), seed=0)


def test_the_built_in_scenes_hold_every_two_things() -> None:
    rows = [(picture.size, facts["tags"]) for _, picture, facts in tagged()]
    assert len(rows) == 3 * len(list(itertools.combinations(TAGS, 2)))
    assert {size for size, _ in rows} == {(224, 224)}
