"""Photos that bear words are paired with clean ones of the same thing, from a folder and from an upload."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from apps.typographic.own_images import images_to_measure
from workbench.errors import BadInput
from workbench.typographic.written_photos import read_written

SHADES = {"bare.png": 10, "bare2.png": 20, "dog.png": 30, "pen.png": 40, "own.png": 50, "cup.png": 60, "lone.png": 70}
ROWS = """file,thing,word
bare.png,apple,
bare2.png,apple,
dog.png,apple,dog
pen.png,apple,pen
own.png,apple,Apple
cup.png,apple,cup
lone.png,lamp,dog
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, shade in SHADES.items():
        Image.new("RGB", (900, 700), (shade, 0, 0)).save(tmp_path / name)
    (tmp_path / "labels.csv").write_text(ROWS, encoding="utf-8")
    return tmp_path


def test_each_written_photo_has_a_clean_one_of_its_thing(folder: Path) -> None:
    read = read_written(folder)
    assert len(read.distinct) == len({picture.tobytes() for picture in read.clean}) < len(read.clean)
    assert read.truth == ("apple",) * 3  # the thing's own name, and the lamp without a clean photo, are left out
    assert read.words == ("dog", "pen", "cup")
    assert read.names == ("apple", "cup", "dog", "pen")
    assert [one.getpixel((5, 5))[0] for one in read.written] == [30, 40, 60]  # type: ignore[index]
    assert [one.getpixel((5, 5))[0] for one in read.clean] == [10, 20, 10]  # type: ignore[index]
    assert {min(one.size) for one in (*read.clean, *read.written)} == {672}


def test_an_uploaded_folder_is_the_same_set(folder: Path) -> None:
    upload = [(str(path), f"photos/{path.name}") for path in sorted(folder.iterdir())]
    read, shown = images_to_measure(upload, 60, seed=0)
    assert (read.truth, read.words) == (read_written(folder).truth, read_written(folder).words)
    assert shown == "pairs of your photos, without and with a word"
    with pytest.raises(BadInput, match="not in the folder"):
        images_to_measure([one for one in upload if "pen.png" not in one[0]], 60, seed=0)


def test_class_folders_are_written_on(folder: Path) -> None:
    names = [
        f"things/{'big_dog' if number % 2 else 'cat'}/{path.name}" for number, path in enumerate(folder.glob("*.png"))
    ]
    upload = [(str(path), name) for path, name in zip(folder.glob("*.png"), names, strict=True)]
    read, shown = images_to_measure(upload, 4, seed=0)
    assert (len(read.truth), shown) == (4, "of your images")
    assert set(read.names) <= {"big dog", "cat"}
    assert all(word != truth for word, truth in zip(read.words, read.truth, strict=True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,thing\nbare.png,apple\n", "'word'"),
        ("file,thing,word\nbare.png,apple,\n", "without a word"),
        ("file,thing,word\nbare.png,apple,apple\n", "without a word"),
        ("file,thing,word\n../x.png,apple,\ndog.png,apple,dog\n", "beside it"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(folder: Path, text: str, message: str) -> None:
    (folder / "labels.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        read_written(folder)
    with pytest.raises(BadInput, match="class folders"):
        images_to_measure([(str(folder / "dog.png"), "x/dog.png")], 60, seed=0)
