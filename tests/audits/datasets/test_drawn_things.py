"""The drawn things: complete, the same each time, and what each picture is said to show is what was drawn."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audits.datasets.builtin import BUILTIN
from audits.datasets.drawn import write_pictures
from audits.datasets.drawn_things import ABOUT, PHOTOS, SIDE, on_ground, pictures, things, trimmed
from workbench.pictures import draw, find_sample


@pytest.fixture(scope="module")
def built(drawn: Callable[[str], Path]) -> Path:
    assert ABOUT.licence.startswith("drawings CC BY-SA 4.0")
    return drawn("drawn-things")


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "samples.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.heavy
def test_every_thing_comes_twice_and_each_photo_once(built: Path) -> None:
    table = rows(built)
    assert list(table[0]) == ["sample_id", "path", "cluster", "split", "label", "kind", "style"]
    assert len(table) == 2 * len(things()) + len(PHOTOS) == 306
    assert len({row["sample_id"] for row in table}) == len(table)
    assert [row["sample_id"] for row in table] == sorted(row["sample_id"] for row in table)
    assert len({row["label"] for row in table}) == 150
    for row in table:
        with Image.open(built / row["path"]) as picture:
            assert (picture.size, picture.mode) == ((SIDE, SIDE), "RGB")
    assert all(len({row["label"] for row in table if row["cluster"] == cluster}) == 1 for cluster in {"cat", "rocket"})


@pytest.mark.heavy
def test_the_same_bytes_each_time(built: Path, tmp_path: Path) -> None:
    write_pictures(tmp_path, pictures())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in built.iterdir())
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (built / path.name).read_bytes(), path.name


def test_a_ground_tints_what_is_around_a_drawing_and_leaves_the_drawing() -> None:
    house = draw("🏠")
    plain, shown = np.asarray(trimmed(house)), np.asarray(on_ground(house, "house"))
    assert (plain.min(axis=2) >= 250).mean() > 0.3  # white around it, and white walls
    assert 0.02 < (shown.min(axis=2) >= 250).mean() < 0.3  # the walls are still white, the ground is not
    assert shown[0, 0].max() < 250
    assert not np.array_equal(shown, on_ground(house, "tent"))


def test_the_photos_show_what_the_shipped_pictures_say() -> None:
    for key, thing in PHOTOS.items():
        answer = find_sample(key).answer
        assert set(answer.removesuffix("s").split()) & set(thing.split()), (key, answer, thing)


def test_the_set_is_in_the_table() -> None:
    assert {row.key: row.pictures for row in BUILTIN}["drawn-things"] is pictures
