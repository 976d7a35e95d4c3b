"""Labelled images: parts that are given are kept, others are drawn class by class, and what is lacking is named."""

from __future__ import annotations

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
