"""Batches: every pair once an epoch, the same after a pause, split evenly, and no hole where a picture fails."""

from __future__ import annotations

from collections import Counter
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from workbench.errors import BadInput, BadPicture
from workbench.training.data import Batches, ImageTextPair, View


def prepare(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture.resize((4, 4)))).permute(2, 0, 1)


def solid(level: int) -> Image.Image:
    return Image.new("RGB", (8, 6), (level, level, level))


def broken(name: str) -> Image.Image:
    raise BadPicture(f"{name} is damaged")


def pairs(n: int = 10, *, bad: tuple[int, ...] = (), labels: bool = False) -> list[ImageTextPair]:
    return [
        ImageTextPair(
            f"{level}.png",
            f"word {level}",
            labels,
            partial(broken, str(level)) if level in bad else partial(solid, level),
        )
        for level in range(n)
    ]


def levels(batches: Batches, first: int, steps: int) -> list[list[int]]:
    return [drawn.squares[:, 0, 0, 0].tolist() for drawn in batches.stream(first, steps)]


def test_each_pair_comes_once_an_epoch_in_a_new_order() -> None:
    rows = levels(Batches(pairs(), View(prepare), size=5, seed=1), 0, 4)
    first, second = rows[0] + rows[1], rows[2] + rows[3]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert first != levels(Batches(pairs(), View(prepare), size=5, seed=2), 0, 2)


def test_a_batch_has_the_stated_shapes_and_its_own_sentences() -> None:
    drawn = next(Batches(pairs(), View(prepare), size=4, seed=1).stream(0, 1))
    assert drawn.squares.shape == (4, 3, 4, 4)
    assert drawn.squares.dtype == torch.uint8
    assert drawn.keys.shape == (4,)
    assert list(drawn.captions) == [f"word {level}" for level in drawn.squares[:, 0, 0, 0].tolist()]


def test_a_later_start_gives_the_same_batches() -> None:
    view = View(prepare, least=0.5)
    whole = list(Batches(pairs(7), view, size=3, seed=1).stream(0, 6))
    rest = list(Batches(pairs(7), view, size=3, seed=1).stream(4, 6))
    for one, other in zip(whole[4:], rest, strict=True):
        assert torch.equal(one.squares, other.squares)
        assert one.captions == other.captions


def test_parts_make_up_the_whole() -> None:
    view = View(prepare, least=0.5)
    (whole,) = Batches(pairs(), view, size=6, seed=1).stream(0, 1)
    parts = [
        next(Batches(pairs(), view, size=6, seed=1, part=part).stream(0, 1)) for part in (slice(0, 3), slice(3, 6))
    ]
    assert torch.equal(torch.cat([one.squares for one in parts]), whole.squares)
    assert torch.equal(torch.cat([one.keys for one in parts]), whole.keys)


def test_labels_go_into_templates_and_share_a_key() -> None:
    message = [ImageTextPair(f"{n}", "cat", True, partial(solid, n)) for n in range(30)]
    drawn = next(Batches(message, View(prepare, ("a {}.", "the {}!")), size=30, seed=1).stream(0, 1))
    assert Counter(drawn.captions).keys() == {"a cat.", "the cat!"}
    assert len(set(drawn.keys.tolist())) == 1


def test_an_unreadable_picture_is_replaced_and_named() -> None:
    batches = Batches(pairs(bad=(2, 7)), View(prepare), size=10, seed=1)
    (row,) = levels(batches, 0, 1)
    assert len(row) == 10
    assert not {2, 7} & set(row)
    assert batches.unreadable == {"2.png": "2 is damaged", "7.png": "7 is damaged"}
    assert levels(Batches(pairs(bad=(2, 7)), View(prepare), size=10, seed=1), 0, 1) == [row]


def test_too_many_unreadable_pictures_end_it() -> None:
    with pytest.raises(BadInput, match=r"more than 2 could not be opened.*is damaged"):
        levels(Batches(pairs(bad=(1, 2, 3, 4)), View(prepare), size=10, seed=1, unreadable=2), 0, 1)
    with pytest.raises(BadInput, match="20 in a row"):
        levels(Batches(pairs(2, bad=(0, 1)), View(prepare), size=2, seed=1), 0, 1)


def test_fewer_pairs_than_a_batch_are_refused() -> None:
    with pytest.raises(BadInput, match="A batch of 11 needs at least as many pairs; there are 10"):
        Batches(pairs(), View(prepare), size=11, seed=1)


def test_a_crop_keeps_at_least_its_part() -> None:
    seen: list[tuple[int, int]] = []

    def note(picture: Image.Image) -> Tensor:
        seen.append(picture.size)
        return prepare(picture)

    rng = np.random.default_rng(0)
    for _ in range(200):
        View(note, least=0.5).crop(Image.new("RGB", (300, 300)), rng)
    areas = [wide * high / 300**2 for wide, high in seen]
    assert min(areas) > 0.42  # a long crop is cut at the picture's side
    assert max(areas) <= 1
    assert len(set(seen)) > 100
    View(note, least=1.0).crop(Image.new("RGB", (7, 5)), rng)
    assert seen[-1] == (7, 5)
