"""What audits of a closed set share: labels, lots, logits, rows and shares, checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from audits.answers import classifier, cosines, ensemble, logits, probabilities, prompts
from audits.closed_set import choices, label_sets, labelled
from audits.measuring import share
from audits.sampling import described, some
from audits.seeds import generator
from tests.audits.planted import dataset, embedded, facts, one_hot, protocol
from workbench.errors import BadInput


def test_a_lot_belongs_to_its_parts() -> None:
    def draw(*parts: str | int) -> float:
        return float(generator(*parts).random())  # type: ignore[arg-type]

    assert draw(0, "a", 1) == draw(0, "a", 1)
    assert len({draw(0, "a", 1), draw(1, "a", 1), draw(0, "a", 2), draw(0, "a", "1"), draw(0, "a\x1f1"), draw(0)}) == 6


def test_the_protocols_labels_hold_and_else_those_of_the_data() -> None:
    data = dataset(["dog", "cat", "", "dog"])
    assert label_sets(data, protocol("x")) == {"labels of the data set": ("cat", "dog")}
    own = protocol("x", label_sets={"pets": {"labels": ["dog", "owl"]}})
    assert label_sets(data, own) == {"pets": ("dog", "owl")}
    assert labelled(data, own) == ["s0000", "s0003"]
    assert labelled(data, protocol("x")) == ["s0000", "s0001", "s0003"]
    with pytest.raises(BadInput, match="No image"):
        labelled(data, protocol("x", label_sets={"other": {"labels": ["a", "b"]}}))


def test_some_takes_one_of_each_cluster_first() -> None:
    data = dataset(["cat"] * 12, cluster=[f"c{at // 4}" for at in range(12)])
    ids = list(data.table["sample_id"])
    clusters = dict(zip(ids, data.table["cluster"], strict=True))
    for count in (3, 4, 6):
        kept = some(data, ids, count=count, seed=0)
        result = [clusters[one] for one in kept]
        assert len(kept) == count
        assert kept == sorted(kept)
        assert max(result.count(one) for one in set(result)) == -(-count // 3)
    assert some(data, ids, count=0, seed=0) == some(data, ids, count=99, seed=0) == ids
    assert some(data, ids, count=3, seed=0) == some(data, ids[::-1], count=3, seed=0)
    assert {tuple(some(data, ids, count=3, seed=seed)) for seed in range(8)} != {tuple(ids[:3])}


def test_drawn_labels_hold_the_true_one_and_differ_between_pictures() -> None:
    labels = [f"label {at}" for at in range(20)]
    drawn = [choices(labels, "label 7", size=5, seed=0, sample_id=f"s{at}") for at in range(30)]
    assert all(7 in places and len(set(places)) == 5 and places == sorted(places) for places in drawn)
    assert len({tuple(places) for places in drawn}) > 20
    assert {at for places in drawn for at in places} == set(range(20))
    assert choices(labels, "label 7", size=0, seed=0, sample_id="s") == list(range(20))


def test_prompts_are_averaged_at_unit_length() -> None:
    texts = {"a cat": np.array([1.0, 0, 0]), "the cat": np.array([0, 1.0, 0]), "a dog": np.array([0, 0, 1.0])}
    texts["the dog"] = texts["a dog"]
    handed = {name: row.astype(np.float32) for name, row in texts.items()}
    assert prompts(["cat", "dog"], ["a {}", "the {}"]) == ["a cat", "the cat", "a dog", "the dog"]
    rows = classifier(handed, ["cat", "dog"], ["a {}", "the {}"])
    assert np.allclose(rows, [[0.5**0.5, 0.5**0.5, 0], [0, 0, 1]])
    assert np.allclose(ensemble(handed, [["a cat"], ["a dog", "the dog"]]), [[1, 0, 0], [0, 0, 1]])


def test_logits_and_probabilities_by_hand() -> None:
    images, weights = np.array([[0.6, 0.8]], np.float32), np.eye(2)
    assert np.allclose(cosines(images, weights), [[0.6, 0.8]])
    assert cosines(images + 1e-9, weights).tolist() == [[0.6, 0.8]]  # the last bits decide nothing
    values = logits(facts(2, scale=10, bias=-1), images, weights)
    assert np.allclose(values, [[5, 7]])
    assert np.allclose(probabilities("softmax", values), [[1 / (1 + np.exp(2)), 1 / (1 + np.exp(-2))]])
    assert np.allclose(probabilities("sigmoid", values), 1 / (1 + np.exp(-values)))


def test_rows_carry_what_the_data_set_knows() -> None:
    data = dataset(["cat", "dog"], cluster=["", "c"], kind=["pet", "pet"])
    rows = described(embedded(data, np.eye(2), one_hot(["cat", "dog"])))
    assert rows.to_dict("records") == [
        {"sample_id": "s0000", "variant": "clean", "cluster": "s0000", "kind": "pet", "y_true": "cat"},
        {"sample_id": "s0001", "variant": "clean", "cluster": "c", "kind": "pet", "y_true": "dog"},
    ]


def test_pictures_of_one_cluster_count_for_less() -> None:
    right = np.array([1.0, 1, 1, 1, 0, 0, 0, 0] * 5)
    alone = share("accuracy", right, [str(at) for at in range(40)])
    together = share("accuracy", right, [str(at // 4) for at in range(40)])
    assert (alone.value, together.value, together.n) == (0.5, 0.5, 40)
    assert together.ci_high - together.ci_low > 1.6 * (alone.ci_high - alone.ci_low)  # type: ignore[operator]
    assert share("accuracy", [], []).value is None
