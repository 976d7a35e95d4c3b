"""The miniature: its drawings, its reproducibility, and that it learns what it was never shown."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from workbench.errors import BadInput
from workbench.training.miniature import (
    DIM,
    TESTED,
    LessonSettings,
    Miniature,
    Moment,
    ids_of,
    learn,
    pixels_of,
    watched,
)
from workbench.training.shapes import COLOURS, SHAPES, SIZES, Drawing, draw, held_out, question


def test_a_drawing_is_the_same_each_time_and_shows_its_colour() -> None:
    one = Drawing("circle", "red", "large", 1)
    assert one.render().tobytes() == one.render().tobytes()
    assert one.render().size == (32, 32)
    assert one.render().tobytes() != Drawing("circle", "red", "large", 2).render().tobytes()
    pixels = np.asarray(one.render()).reshape(-1, 3).astype(int)
    inked = pixels[np.abs(pixels - np.array(COLOURS["red"])).sum(1) < 60]
    assert 0.2 < len(inked) / len(pixels) < 0.6


def test_a_large_drawing_covers_more_than_a_small_one() -> None:
    def ink(size: str, shape: str) -> int:
        return int((np.asarray(Drawing(shape, "black", size, 3).render()).sum(2) < 300).sum())

    for shape in SHAPES:
        assert ink("large", shape) > 1.8 * ink("small", shape) > 0


def test_held_out_pairs_are_never_drawn_for_training_but_each_part_of_them_is() -> None:
    kept = [(shape, colour) for shape in SHAPES for colour in COLOURS if held_out(shape, colour)]
    assert len(kept) == 8
    assert {shape for shape, _ in kept} == set(SHAPES)
    assert {colour for _, colour in kept} == set(COLOURS)
    training = draw(2000, seed=0)
    seen = {(one.shape, one.colour) for one in training}
    assert not seen & set(kept)
    assert {shape for shape, _ in seen} == set(SHAPES)
    assert {colour for _, colour in seen} == set(COLOURS)
    assert {(one.shape, one.colour) for one in draw(500, seed=0, unseen=True)} == set(kept)


def test_the_question_has_one_right_answer_a_drawing() -> None:
    sentences, answers = question([Drawing("star", "blue", "small", 0)])
    assert len(sentences) == len(SHAPES) * len(COLOURS)
    assert sentences[answers[0]] == ["a small blue star", "a large blue star"]
    assert {len(one) for one in sentences} == {len(SIZES)}


def test_what_is_looked_at_are_twelve_different_sentences_six_of_them_held_out() -> None:
    assert len({one.caption for one in watched()}) == 12
    assert sum(held_out(one.shape, one.colour) for one in watched()) == 6


def test_the_towers_have_the_stated_shapes() -> None:
    model = Miniature()
    ids, mask = ids_of(["a small red circle", "a star"])
    assert ids.shape == mask.shape == (2, 4)
    assert mask.tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert model.text(ids, mask).shape == (2, DIM)
    pixels = pixels_of(watched()[:3])
    assert pixels.shape == (3, 3, 32, 32)
    assert model.image(pixels).shape == (3, DIM)
    alone = model.text(*ids_of(["a star"]))
    torch.testing.assert_close(model.text(ids, mask)[1:], alone)  # padding changes nothing


def test_the_same_seed_gives_the_same_lesson_and_draws_nothing_from_others() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = list(learn(LessonSettings(steps=11, batch=8, seed=4)))
    assert torch.equal(torch.rand(1), expected)
    second = list(learn(LessonSettings(steps=11, batch=8, seed=4)))
    other = list(learn(LessonSettings(steps=11, batch=8, seed=5)))
    assert [one.loss for one in first] == [one.loss for one in second]
    assert [one.loss for one in first] != [one.loss for one in other]
    assert [one.step for one in first if one.similarity is not None] == [10, 11]
    last = first[-1]
    assert last.similarity is not None
    assert last.similarity.shape == (12, 12)
    assert np.abs(last.similarity).max() <= 1.0001
    assert last.unseen is not None
    assert last.unseen.n == TESTED


def test_a_fixed_scale_stays_and_a_learned_one_moves() -> None:
    fixed = list(learn(LessonSettings(steps=3, batch=8, scale=10.0)))
    assert [one.scale for one in fixed] == pytest.approx([10.0] * 3)
    learned = list(learn(LessonSettings(steps=3, batch=8)))
    assert learned[-1].scale != pytest.approx(1 / 0.07, abs=1e-4)


@pytest.mark.parametrize(
    "wrong",
    [{"steps": 0}, {"steps": 10**6}, {"batch": 1}, {"batch": 1000}, {"seed": -1}, {"scale": 0.0}, {"scale": 101.0}],
)
def test_a_lesson_has_bounds(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        LessonSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.heavy
def test_it_learns_to_name_pairs_that_it_never_saw() -> None:
    """Held out are 8 of 48 pairs of shape and colour; named among all 48, on 192 drawings; two minutes of computing."""
    began = time.process_time()
    last: Moment | None = None
    for moment in learn(LessonSettings(seed=0)):
        last = moment
    assert last is not None
    assert last.unseen is not None
    assert last.similarity is not None
    assert last.unseen.value >= 0.9
    assert last.unseen.n == TESTED
    assert (last.similarity.argmax(1) == np.arange(12)).mean() >= 0.9
    assert time.process_time() - began < 120
