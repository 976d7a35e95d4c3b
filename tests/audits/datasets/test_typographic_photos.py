"""Folders laid out as the authors of published typographic photographs lay them out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from audits.datasets.readers import read
from workbench.errors import BadInput, UnknownName


@pytest.fixture
def picture() -> Callable[..., Path]:
    """Return a function that saves a small picture under a name and gives its path."""

    def save(path: Path, colour: tuple[int, int, int] = (90, 120, 30)) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (24, 24), colour).save(path)
        return path

    return save


def test_scam_is_read_as_triplets(tmp_path: Path, picture: Callable[..., Path]) -> None:
    rows = ["file_name,type,id,object_label,attack_word,postit_area_pct"]
    for kind in ("NoSCAM", "SCAM", "SynthSCAM"):
        picture(tmp_path / f"{kind}/a.png")
        rows.append(f"{kind}/a.png,{kind},a.jpg,clock,taxi,4.1")
    rows.append("SCAM/lost.png,SCAM,lost.jpg,clock,taxi,4.1")
    (tmp_path / "metadata.csv").write_text("\n".join(rows), encoding="utf-8")
    dataset = read(f"scam:{tmp_path}")
    assert list(dataset.table["form"]) == ["clean", "word", "synthetic"]
    assert set(dataset.table["cluster"]) == {"a"}
    assert set(dataset.table["label"]) == {"clock"}
    assert set(dataset.table["word"]) == {"taxi"}
    assert set(dataset.attributes) == {"form", "word"}
    assert dataset.excluded == (("SCAM/lost.png", "there is no such file (row 4)"),)


@pytest.mark.parametrize("key", ["rta-100", "paint"])
def test_names_of_files_say_what_is_seen_and_what_is_written(
    key: str, tmp_path: Path, picture: Callable[..., Path]
) -> None:
    picture(tmp_path / "label=alarm clock_text=dog.png")
    picture(tmp_path / "more" / "label=dog_text=cat.jpg")
    table = read(f"{key}:{tmp_path}").table
    assert table[["label", "word", "form"]].to_numpy().tolist() == [
        ["alarm clock", "dog", "word"],
        ["dog", "cat", "word"],
    ]


def test_disentangling_is_read_from_its_annotations(tmp_path: Path, picture: Callable[..., Path]) -> None:
    notes = {
        "1.png": {"true object": "mug", "typographic attack label": "ipod"},
        "0.png": {"true object": "mug", "typographic attack label": ""},
    }
    for name in notes:
        picture(tmp_path / "images" / name)
    (tmp_path / "annotations.json").write_text(json.dumps(notes), encoding="utf-8")
    table = read(f"disentangling:{tmp_path}").table
    assert list(table["form"]) == ["clean", "word"]
    assert list(table["word"]) == ["", "ipod"]
    assert set(table["cluster"]) == {"mug"}


def test_a_folder_that_is_laid_out_otherwise_is_refused(tmp_path: Path, picture: Callable[..., Path]) -> None:
    with pytest.raises(UnknownName, match="scam"):
        read(f"scan:{tmp_path}")
    with pytest.raises(BadInput, match=r"metadata\.csv"):
        read(f"scam:{tmp_path}")
    with pytest.raises(BadInput, match="holds no images"):
        read(f"rta-100:{tmp_path}")
    with pytest.raises(BadInput, match=r"annotations\.json"):
        read(f"disentangling:{tmp_path}")
    picture(tmp_path / "dog.png")
    with pytest.raises(BadInput, match="label=THING_text=WORD"):
        read(f"paint:{tmp_path}")


def test_a_table_that_leads_out_of_the_folder_is_refused(tmp_path: Path, picture: Callable[..., Path]) -> None:
    picture(tmp_path / "secret.png")
    inside = tmp_path / "scam"
    inside.mkdir()
    text = "file_name,type,id,object_label,attack_word\n../secret.png,SCAM,a,clock,taxi\n"
    (inside / "metadata.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match="leads outside"):
        read(f"scam:{inside}")
