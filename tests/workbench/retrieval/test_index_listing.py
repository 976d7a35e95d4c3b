"""An index as labelled images: labels from a column or a tag, members of archives, what is gone, what is no image."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.workbench.retrieval.made_videos import write_video
from workbench.engine import Session
from workbench.errors import BadInput, UnknownName
from workbench.probes.labelled import labelled
from workbench.retrieval.adding import AddReport, add
from workbench.retrieval.index import find_table
from workbench.retrieval.listing import columns, indexed

Run = Callable[[Any], AddReport]


def test_the_label_column_gives_the_classes_of_the_folders(session: Session, pictures: Path, run: Run) -> None:
    run(add("mine", session, [str(pictures)]))
    assert columns(find_table("mine")) == ["label"]
    listing = indexed("mine")
    assert {(one.name, one.label) for one in listing.samples} == {
        (str(path), path.parent.name) for path in pictures.glob("*/*.png")
    }
    images = labelled(listing)
    assert (images.classes, len(images.samples)) == (("blue", "green", "red", "yellow"), 32)
    assert images.y.shape == images.parts.shape == (32,)
    assert images.samples[0].open().size == (60, 40)
    assert {one.label for one in indexed("mine", where="label = 'red'").samples} == {"red"}
    (pictures / "red" / "0.png").unlink()
    after = indexed("mine")
    assert len(after.samples) == 31
    assert after.skipped == ("0.png: no longer where it was added from",)


def test_any_column_of_a_table_labels_and_its_parts_are_kept(session: Session, pictures: Path, run: Run) -> None:
    paths = sorted(pictures.glob("*/*.png"))
    with (pictures / "rows.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "tone", "split"])
        for number, path in enumerate(paths):
            tone = "" if number == 5 else "warm" if path.parent.name in ("red", "yellow") else "cold"
            rows.writerow([path.relative_to(pictures), tone, "test" if number % 4 == 0 else "train"])
    run(add("table", session, [str(pictures / "rows.csv")]))
    assert columns(find_table("table")) == ["tone", "split"]
    listing = indexed("table", column="tone")
    assert listing.skipped == (f"{paths[5].name}: no tone",)
    images = labelled(listing)
    assert images.classes == ("cold", "warm")
    assert int((images.parts == "test").sum()) == 8
    assert {one.label for one in listing.samples if Path(one.name).parent.name == "yellow"} == {"warm"}


def test_members_of_a_zip_are_read_and_frames_left_out(session: Session, pictures: Path, home: Path, run: Run) -> None:
    packed = home.parent / "packed.zip"
    with zipfile.ZipFile(packed, "w") as file:
        for path in pictures.glob("*/*.png"):
            file.write(path, path.relative_to(pictures))
    video = write_video(home.parent / "x.mp4", [(Image.new("RGB", (80, 80), "red"), 2.0)], size=(80, 80))
    run(add("zip", session, [str(packed), str(video)]))
    listing = indexed("zip")
    assert len(listing.samples) == 32
    assert {one.open().size for one in listing.samples} == {(60, 40)}
    assert [line for line in listing.skipped if "frames" in line] == ["2 frames of videos: images only"]
    packed.unlink()
    with pytest.raises(BadInput, match="column of the index"):
        indexed("zip")


def test_what_labels_nothing_is_refused(session: Session, pictures: Path, run: Run) -> None:
    with pytest.raises(UnknownName, match="index"):
        indexed("mine")
    run(add("mine", session, [str(pictures)]))
    with pytest.raises(BadInput, match="label; no image that was asked for has 'colour'"):
        indexed("mine", column="colour")
    with pytest.raises(BadInput, match="at character 8"):
        indexed("mine", where="label ===")
