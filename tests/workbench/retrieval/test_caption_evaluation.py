"""Evaluation with captions: ranks by hand, names as tables write them, videos as wholes, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.workbench.retrieval.made_videos import write_video
from workbench.engine import Session
from workbench.errors import BadInput, UnknownName
from workbench.retrieval import index
from workbench.retrieval.adding import add
from workbench.retrieval.captions import CaptionPair, _measured, evaluate_captions, read_captions
from workbench.retrieval.collection import item_paths, read_items
from workbench.retrieval.hubs import bank_normalised, hubness

Run = Callable[[Any], Any]


def test_ranks_both_ways_by_hand() -> None:
    """Three images, four sentences; the last two belong to the last image."""
    scores = np.array([[0.9, 0.1, 0.2], [0.5, 0.5, 0.1], [0.6, 0.1, 0.7], [0.3, 0.4, 0.2]], np.float32)
    bank = np.full((2, 3), 0.1, np.float32)
    result = _measured(scores, bank, [0, 1, 2, 2], missing=("x",), pooling="mean")
    # sentences: ranks 1, 1 (a tie is no better), 1, 3; images: 1, 1, 1 (0.7, the better of its two)
    assert (result.to_items.recall[1].value, result.to_items.median_rank, result.to_items.mean_rank) == (0.75, 1, 1.5)
    assert (result.to_sentences.recall[1].value, result.to_sentences.n) == (1.0, 3)
    assert (result.sentences, result.items, result.missing) == (4, 3, ("x",))
    low, high = result.to_items.recall[1].low, result.to_items.recall[1].high
    assert low is not None
    assert high is not None
    assert low < 0.75 < high


def test_the_correction_by_hand() -> None:
    """The first item answers every sentence of the bank: only queries that it answers first are normalised."""
    bank = np.array([[0.9, 0.1, 0.3], [0.8, 0.2, 0.1]], np.float32)
    scores = np.array([[0.5, 0.45, 0.0], [0.1, 0.6, 0.2], [0.1, 0.0, 0.9], [0.9, 0.1, 0.1]], np.float32)
    sums = np.exp(20 * np.array([0.9, 0.1, 0.3])) + np.exp(20 * np.array([0.8, 0.2, 0.1]))
    corrected = bank_normalised(scores, bank)
    np.testing.assert_allclose(corrected[0], np.exp(20 * scores[0]) / sums, rtol=1e-4)
    np.testing.assert_array_equal(corrected[1:3], scores[1:3])
    assert corrected.argmax(axis=1).tolist() == [1, 1, 2, 0]
    result = _measured(scores, bank, [1, 1, 2, 0], missing=(), pooling="mean")
    assert (result.to_items.recall[1].value, result.corrected.recall[1].value) == (0.75, 1.0)
    assert (result.gain.difference.value, result.gain.gained, result.gain.lost) == (0.25, 1, 0)


def test_hubness_by_hand() -> None:
    """Twelve items, of which one is among the ten best of every query and the others take turns."""
    from scipy.stats import skew

    scores = np.zeros((3, 12), np.float32)
    left_out = [(1, 2), (3, 4), (5, 6)]
    for query, items in enumerate(left_out):
        scores[query, list(items)] = -1
    assert hubness(scores) == pytest.approx(skew([3] + [2] * 6 + [3] * 5))
    assert hubness(np.zeros((3, 4), np.float32)) == 0.0


def test_names_as_tables_write_them(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("image,caption\na/cat.png,a cat\n,nothing\nb.png,\n")
    assert read_captions(tmp_path / "a.csv") == [CaptionPair("a/cat.png", "a cat")]
    (tmp_path / "m.csv").write_text("key,vid_key,video_id,sentence\nret0,msr9770,video9770,a person is singing\n")
    assert read_captions(tmp_path / "m.csv") == [CaptionPair("video9770", "a person is singing")]
    (tmp_path / "b.csv").write_text("one,two\n1,2\n")
    (tmp_path / "c.csv").write_text("path,caption\n")
    for name in ("b.csv", "c.csv", "missing.csv"):
        with pytest.raises(BadInput):
            read_captions(tmp_path / name)


def test_an_index_of_colours_is_evaluated(session: Session, pictures: Path, run: Run) -> None:
    run(add("mine", session, [str(pictures)]))
    opened = index.find_table("mine")
    pairs = [CaptionPair(f"{name}/0.png", f"a {name} picture") for name in ("red", "green", "blue")]
    result = run(evaluate_captions(session, opened, [*pairs, CaptionPair("gone.png", "a dog")], folder=str(pictures)))
    assert result.to_items.recall[1].value == result.to_sentences.recall[1].value == 1.0
    assert (result.sentences, result.items, result.missing) == (3, 3, ("gone.png",))
    swapped = [CaptionPair("red/0.png", "a blue picture"), CaptionPair("blue/0.png", "a red picture")]
    result = run(evaluate_captions(session, opened, swapped, folder=str(pictures)))
    assert (result.to_items.recall[1].value, result.to_items.median_rank) == (0.0, 2)
    with pytest.raises(BadInput, match="None of the 1 rows"):
        run(evaluate_captions(session, opened, [CaptionPair("0.png", "a red picture")]))  # four files have that name
    with pytest.raises(UnknownName):
        run(evaluate_captions(session, opened, pairs, folder=str(pictures), pooling="median"))


def test_videos_are_items_as_wholes(session: Session, tmp_path: Path, home: Path, run: Run) -> None:
    for name, colours in {"one": ("red", "green"), "two": ("blue", "blue")}.items():
        write_video(tmp_path / f"{name}.mp4", [(Image.new("RGB", (64, 48), colour), 2.0) for colour in colours])
    run(add("films", session, [str(tmp_path)]))
    opened = index.find_table("films")
    assert [Path(path).name for path in item_paths(opened)] == ["one.mp4", "two.mp4"]
    first, second = read_items(opened, videos_only=True)
    assert first.seconds.tolist() == [0, 1, 2, 3]
    assert len(second.vectors) == 4
    pairs = [CaptionPair("one", "a green picture"), CaptionPair("two", "a blue picture")]
    for pooling in ("mean", "max", "top"):
        result = run(evaluate_captions(session, opened, pairs, pooling=pooling))
        assert result.to_items.recall[1].value == 1.0
        assert result.pooling == pooling
