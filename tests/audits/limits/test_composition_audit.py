"""Composition: a model that reads the sentence, one that counts words, and one that guesses are told apart."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from audits.analysis import Analysis
from audits.datasets.dataset import Dataset
from audits.datasets.drawn_scenes import RELATIONS, pictures
from audits.limits.composition.blind import WordPairs, blind
from tests.audits.planted import dataset, embedded, facts, find, one_hot, protocol, stages_of
from workbench.errors import BadInput
from workbench.statistics.measures import table

composition = stages_of("limits/composition")
RULES = protocol("limits/composition", decision="none")


def scenes(pairs: int = 40) -> Dataset:
    """Pairs of two captions of the same words in another order, all different from pair to pair."""
    rows = [
        (f"p{at}", f"x{at} {one} y{at} {two}", f"x{at} {two} y{at} {one}", kind)
        for at in range(pairs)
        for kind in ("swap attribute",)
        for one, two in (("red", "blue"), ("blue", "red"))
    ]
    pair, caption, negative, kind = (list(column) for column in zip(*rows, strict=True))
    return dataset([""] * len(rows), cluster=pair, pair=pair, caption=caption, negative=negative, kind=kind)


def answered(data: Dataset, images: NDArray[np.float64], texts: dict[str, NDArray[np.float64]]) -> Analysis:
    samples = composition.score(embedded(data, images, texts), RULES, seed=0)
    return composition.analyse(samples, RULES, model=facts(images.shape[1]), seed=0)


def planted(share: float) -> Analysis:
    """A model that reads the first pairs by their sentence, and the given share of pairs as bags of words."""
    data = scenes()
    texts = one_hot(composition.texts(data, RULES))
    pairs = sorted(set(data.table["pair"]), key=lambda name: int(name[1:]))
    for name in pairs[: round(share * len(pairs))]:
        one, two = data.table.loc[data.table["pair"] == name, "caption"]
        texts[one] = texts[two] = (texts[one] + texts[two]) / np.sqrt(2)
    images = np.stack([texts[caption] for caption in data.table["caption"]])
    return answered(data, images, texts)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_model_that_ignores_word_order_is_found_at_the_planted_size(share: float) -> None:
    analysis = planted(share)
    assert find(analysis, "tied").value == pytest.approx(share)
    for metric in ("image_to_text", "text_to_image", "text_score", "image_score", "group_score"):
        assert find(analysis, metric).value == pytest.approx(1 - share)
    said = [one.text for one in analysis.findings if one.metric == "tied"]
    assert len(said) == (share == 1.0)
    assert find(analysis, "group_score").null_mean == pytest.approx(1 / 6)


def test_a_model_that_guesses_is_at_chance_and_nothing_is_found() -> None:
    data, rng = scenes(300), np.random.default_rng(1)
    texts = {text: rng.normal(size=16) for text in composition.texts(data, RULES)}
    texts = {text: row / np.linalg.norm(row) for text, row in texts.items()}
    images = rng.normal(size=(600, 16))
    analysis = answered(data, images / np.linalg.norm(images, axis=1, keepdims=True), texts)
    for metric, chance in (("image_to_text", 1 / 2), ("text_to_image", 1 / 2), ("text_score", 1 / 4)):
        row = find(analysis, metric)
        assert row.ci_low < chance < row.ci_high  # type: ignore[operator]
    group = find(analysis, "group_score")
    assert group.ci_low < 1 / 6 < group.ci_high  # type: ignore[operator]
    assert find(analysis, "tied").value == 0
    assert not [one for one in analysis.findings if one.strength == "found"]


def test_word_pairs_see_what_the_captions_give_away() -> None:
    model = WordPairs(["a b", "a b", "a c"])
    # <s> a b </s>: words a, b, c, <s>, </s> and one unknown; each pair counted once more
    by_hand = np.log([(3 + 1) / (3 + 6), (2 + 1) / (3 + 6), (2 + 1) / (2 + 6)]).mean()
    assert model.likelihood("a b") == pytest.approx(by_hand)
    data = dataset([""] * 60, caption=["a cat sits"] * 60, negative=["sits cat a"] * 60)
    assert sum(blind(data.table)) == 60
    assert np.mean(blind(scenes(200).table)) == pytest.approx(0.5, abs=0.08)
    alone = dataset(
        [""] * 200, caption=[f"x{at} y{at}" for at in range(200)], negative=[f"y{at} x{at}" for at in range(200)]
    )
    assert np.mean(blind(alone.table)) == pytest.approx(0.5, abs=0.1)  # its own caption teaches it nothing


def test_a_box_is_cut_out_and_several_negatives_lower_chance() -> None:
    data = dataset(["", ""], caption=["a", "b"], negative=["b", "a"], negative_2=["c", ""], box=["2,3,4,5", ""])
    whole = [(item.variant, item.recipe) for item in composition.plan(data, RULES, seed=0)]
    assert whole == [("cropped", "[2, 3, 4, 5]"), ("clean", "")]
    from PIL import Image

    cut = composition.change(Image.new("RGB", (20, 20)), composition.plan(data, RULES, seed=0)[0])
    assert cut.size == (4, 5)
    texts = one_hot(composition.texts(data, RULES))
    analysis = answered(data, np.stack([texts["a"], texts["b"]]), texts)
    assert find(analysis, "image_to_text").null_mean == pytest.approx((1 / 3 + 1 / 2) / 2)
    with pytest.raises(BadInput, match="whole pixels"):
        composition.plan(dataset([""], caption=["a"], negative=["b"], box=["1,2"]), RULES, seed=0)
    with pytest.raises(BadInput, match="both a `caption`"):
        composition.plan(dataset([""], caption=["a"], negative=[""]), RULES, seed=0)


@pytest.mark.heavy
def test_the_drawn_scenes_hold_what_they_say() -> None:
    rows = [(name, np.asarray(picture), facts) for name, picture, facts in pictures()]
    assert len({picture.tobytes() for _, picture, _ in rows}) == len(rows)
    by_name = {name: (picture, row) for name, picture, row in rows}
    for name, _, row in rows:
        assert row["caption"] != row["negative"]
        if row["kind"] == "scrambled order":
            assert sorted(row["caption"].split()) == sorted(row["negative"].split())
        if row["pair"]:
            other = by_name[f"{row['pair']}-{'b' if name.endswith('a') else 'a'}"][1]
            assert (other["caption"], other["negative"]) == (row["negative"], row["caption"])
    blue = by_name["swap-attribute-00-a"]
    assert blue[1]["caption"].split()[1] in ("red", "green", "blue", "yellow", "purple")
    assert {row["relation"] for _, _, row in rows} == {"", *RELATIONS}
    left = {name: row for name, _, row in rows if row["relation"] == "to the left of" and row["drawn"] == "shapes"}
    for name in list(left)[:6]:
        picture, row = by_name[name]
        first = row["caption"].split()[1] if " left " in row["caption"] else row["caption"].split()[-2]
        assert _middle(picture, first) < 112  # what stands on the left


def _middle(picture: NDArray[np.uint8], colour: str) -> float:
    from workbench.training.shapes import COLOURS

    near = np.abs(picture.astype(int) - np.array(COLOURS[colour])).sum(axis=2) < 30
    return float(np.nonzero(near)[1].mean())


def test_tables_repeat() -> None:
    assert table(planted(0.5).measures).equals(table(planted(0.5).measures))
