"""Labelled images: parts that are given are kept, others are drawn class by class, and what is lacking is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench.datasets import ImageSample, Listing
from workbench.errors import BadInput
from workbench.probes.labelled import TEST, TRAIN, VALIDATION, labelled, read_labelled


def listing(*names: str, **attributes: str) -> Listing:
    samples = [
        ImageSample(name, Path(name), name.rpartition("/")[0].split("/")[0], attributes=attributes) for name in names
    ]
    return Listing(tuple(samples), title="made")


def test_folders_above_the_classes_are_the_parts(tmp_path: Path) -> None:
    for part, count in (("Train", 4), ("test", 2)):
        for name in ("cat", "dog"):
            (tmp_path / part / name).mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / part / name / f"{number}.png")
    images = read_labelled(str(tmp_path))
    assert images.classes == ("cat", "dog")
    assert images.given == (TRAIN, TEST)
    assert [int(images.rows(part).sum()) for part in (TRAIN, VALIDATION, TEST)] == [6, 2, 4]
    tested = {sample.name.split("/")[0] for sample, row in zip(images.samples, images.rows(TEST), strict=True) if row}
    assert tested == {"test"}


def test_parts_are_drawn_by_class_and_seed() -> None:
    names = [f"{name}/{number}.png" for name in ("a", "b") for number in range(20)]
    first, again, other = (labelled(listing(*names), seed=seed) for seed in (0, 0, 1))
    assert (first.parts == again.parts).all()
    assert (first.parts != other.parts).any()
    for number in (0, 1):
        mine = first.parts[first.y == number]
        assert [int((mine == part).sum()) for part in (TRAIN, VALIDATION, TEST)] == [12, 3, 5]


def test_classes_named_train_alone_are_no_parts() -> None:
    images = labelled(listing(*(f"{name}/x/{number}.png" for name in ("train", "car") for number in range(4))))
    assert images.classes == ("car", "train")
    assert images.given == ()


def test_a_table_may_state_the_part() -> None:
    samples = [
        ImageSample(f"{label}{number}", Path("x"), label, attributes={"split": "test" if number < 2 else "train"})
        for label in "ab"
        for number in range(6)
    ]
    images = labelled(Listing(tuple(samples)))
    assert images.given == (TRAIN, TEST)
    assert int(images.rows(TEST).sum()) == 4


def test_what_is_lacking_is_named() -> None:
    with pytest.raises(BadInput, match="two classes or more"):
        labelled(listing("a/1.png", "a/2.png", "loose.png"))
    with pytest.raises(BadInput, match="'b'"):
        labelled(listing("a/1.png", "a/2.png", "a/3.png", "a/4.png", "b/1.png"))


def test_images_that_are_left_out_leave_their_parts_alone() -> None:
    images = labelled(listing(*(f"{name}/{number}.png" for name in "ab" for number in range(8))))
    rest = images.without([0, 9])
    assert len(rest.samples) == 14
    assert (rest.parts == np.delete(images.parts, [0, 9])).all()
    assert rest.labels == ["a"] * 7 + ["b"] * 7
    with pytest.raises(BadInput, match="'a'"):
        images.without(range(8))


def table(train: Sequence[str], test: Sequence[str]) -> Listing:
    """A table with labels by part."""
    rows = [(part, *row) for part, labels in (("train", train), ("test", test)) for row in enumerate(labels)]
    samples = [
        ImageSample(f"{part}{number}", Path("x"), label, attributes={"split": part}) for part, number, label in rows
    ]
    return Listing(tuple(samples))


def test_an_image_may_show_several_classes() -> None:
    given = table(["a|b", "b", "c"] * 3, ["a|b", "b", "c"])
    again = ImageSample("train0", Path("x"), "c", attributes={"split": "train"})
    empty = ImageSample("none", Path("x"), " | ", attributes={"split": "train"})
    images = labelled(replace(given, samples=(*given.samples, again, empty)), several=True)
    assert images.classes == ("a", "b", "c")
    assert images.shown is not None
    assert images.shown.shape == (12, 3)
    assert images.shown[:3].tolist() == [[True, True, True], [False, True, False], [False, False, True]]
    assert images.y[:3].tolist() == [0, 1, 2]  # the rarest that each shows
    assert images.skipped == ("none: in no class folder",)
    rest = images.without([0]).shown
    assert rest is not None
    assert (rest == images.shown[1:]).all()
    assert labelled(given).classes == ("a|b", "b", "c")


def test_a_class_on_every_image_and_one_that_a_part_lacks_are_named() -> None:
    with pytest.raises(BadInput, match="'sky' is on all"):
        labelled(table(["a|sky", "b|sky"] * 2, ["a", "b|sky"]), several=True)
    with pytest.raises(BadInput, match="part test of 'b'"):
        labelled(table(["a", "b"] * 4, ["a", "a"]), several=True)
