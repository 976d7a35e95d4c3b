"""ImageNet's classes, and its shifts as they lie in folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from audits.datasets.imagenet_shifts import class_name
from audits.datasets.readers import read
from workbench.errors import BadInput


def test_a_class_is_known_by_wordnet_id_place_or_word() -> None:
    assert class_name("n01440764") == ("tench", "n01440764")
    assert class_name("0") == ("tench", "n01440764")
    assert class_name("281") == class_name("n02123045") == ("tabby cat", "n02123045")
    assert class_name("Alarm_clock") == ("alarm clock", "")
    with pytest.raises(BadInput, match="0 to 999"):
        class_name("1000")
    with pytest.raises(BadInput, match="none of ImageNet's"):
        class_name("n00000000")


def test_every_class_has_its_own_name() -> None:
    assert len({class_name(str(place)) for place in range(1000)}) == 1000


def test_folders_become_styles_classes_and_frames(tmp_path: Path) -> None:
    for path in (
        "imagenet/n01440764/a.png",
        "imagenet-v2/0/b.png",
        "imagenet-vid/n01440764/c/1.png",
        "imagenet-vid/n01440764/c/0.png",
        "other/x/d.png",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / path)
    dataset = read(f"shifts:{tmp_path}")
    table = dataset.table.set_index("sample_id")
    assert set(table["label"]) == {"tench"}
    assert list(dataset.table["style"]) == ["imagenet-v2", "imagenet-vid", "imagenet-vid", "imagenet"]
    assert table.loc["imagenet-vid/n01440764/c/0.png", "frame"] == "anchor"
    assert table.loc["imagenet-vid/n01440764/c/1.png", "frame"] == "neighbour"
    assert table.loc["imagenet-vid/n01440764/c/1.png", "cluster"] == "imagenet-vid/n01440764/c"
    assert table.loc["imagenet/n01440764/a.png", "frame"] == ""


def test_a_folder_without_base_or_shift_is_refused(tmp_path: Path) -> None:
    (tmp_path / "imagenet").mkdir()
    with pytest.raises(BadInput, match="one or more of"):
        read(f"shifts:{tmp_path}")
    (tmp_path / "objectnet").mkdir()
    with pytest.raises(BadInput, match="hold no image"):
        read(f"shifts:{tmp_path}")
