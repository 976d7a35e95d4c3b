"""Near-duplicates: planted copies of photos are found, other photos are not."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from audits.datasets import readers
from audits.datasets.near_duplicates import near_duplicates as of_dataset
from workbench.datasets.near_duplicates import near_duplicates, thumbnail
from workbench.images import safe_open
from workbench.pictures import SAMPLES, sample_path


def copies(image: Image.Image) -> list[Image.Image]:
    """An image saved badly, made smaller, brighter, mirrored, and cropped by a fiftieth."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=30)
    width, height = image.size
    return [
        Image.open(out).convert("RGB"),
        image.resize((width // 3, height // 3)),
        ImageEnhance.Brightness(image).enhance(1.15),
        ImageOps.mirror(image),
        image.crop((width // 100, height // 100, width - width // 100, height - height // 100)),
    ]


def photos() -> list[Image.Image]:
    return [safe_open(sample_path(one.key)) for one in SAMPLES]


def test_copies_are_found_and_different_photos_are_not() -> None:
    originals = photos()
    assert near_duplicates([thumbnail(one) for one in originals]) == []
    for at, image in enumerate(originals):
        for copy in copies(image):
            rows = [thumbnail(one) for one in (*originals, copy)]
            assert near_duplicates(rows) == [[at, len(originals)]], SAMPLES[at].key


def test_plain_images_are_alike_to_nothing_and_chains_are_one_group() -> None:
    plain = [thumbnail(Image.new("RGB", (50, 40), colour)) for colour in ("red", "red", "white")]
    assert near_duplicates(plain) == []
    assert near_duplicates(plain[:1]) == []
    axis = np.eye(16 * 16 * 3, dtype=np.float32)
    chain = [np.cos(0.1 * step) * axis[0] + np.sin(0.1 * step) * axis[9] for step in range(3)]  # 0.995 to the next
    assert near_duplicates(chain, alike=0.99) == [[0, 1, 2]]
    assert near_duplicates(chain, alike=0.999) == []


def test_a_data_set_names_them_with_labels_that_differ_first(tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
    cat, coffee = safe_open(sample_path("cat")), safe_open(sample_path("coffee"))
    cat.save(tmp_path / "cat" / "b.png")
    cat.resize((90, 60)).save(tmp_path / "dog" / "a.png")
    coffee.save(tmp_path / "cat" / "c.png")
    ImageOps.mirror(coffee).save(tmp_path / "cat" / "a.png")
    assert of_dataset(readers.read(f"folder:{tmp_path}")) == [
        "cat/b.png, dog/a.png (labels differ: cat, dog)",
        "cat/a.png, cat/c.png",
    ]


def test_the_built_in_photos_of_drawn_people_have_none_outside_their_clusters() -> None:
    assert of_dataset(readers.read("builtin:drawn-people-age", limit=60)) == []
