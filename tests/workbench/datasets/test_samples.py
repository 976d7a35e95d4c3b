"""The same four images, from each kind of source: the same rows."""

from __future__ import annotations

import csv
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from audits.datasets import readers
from workbench.datasets import KINDS, ImageSample, read_samples
from workbench.datasets.folders import image_names
from workbench.datasets.samples import is_image
from workbench.errors import BadInput, BadPicture

IMAGES = {"cat/a.png": "red", "cat/deep/b.png": "blue", "dog/a.png": "lime", "dog/c.jpeg": "black"}
COLOURS = {"red": (255, 0, 0), "blue": (0, 0, 255), "lime": (0, 255, 0), "black": (0, 0, 0)}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")


def encoded(colour: str, kind: str = "png") -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(target, kind)
    return target.getvalue()


def content(name: str) -> bytes:
    return encoded(IMAGES[name], name.rsplit(".", 1)[1])


def rows() -> list[dict[str, str]]:
    return [{"label": name.split("/")[0], "colour": colour} for name, colour in IMAGES.items()]


def as_folder(place: Path) -> Path:
    for name in IMAGES:
        (place / "f" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "f" / name).write_bytes(content(name))
    for name in (".hidden/x.png", "cat/.y.png", "cat/notes.txt"):
        (place / "f" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "f" / name).write_bytes(encoded("white"))
    return place / "f"


def as_csv(place: Path) -> Path:
    with (as_folder(place) / "t.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["file", "class", "colour"])
        table.writeheader()
        table.writerows(
            {"file": name, "class": row["label"], "colour": row["colour"]}
            for name, row in zip(IMAGES, rows(), strict=True)
        )
    return place / "f" / "t.csv"


def as_parquet(place: Path) -> Path:
    cells = {"image": [content(name) for name in IMAGES], "box": [[1, 2]] * len(IMAGES)}
    columns = {key: [row[key] for row in rows()] for key in ("label", "colour")}
    pq.write_table(pa.table({**columns, **cells}), place / "t.parquet")
    return place / "t.parquet"


def as_zip(place: Path) -> Path:
    with zipfile.ZipFile(place / "t.zip", "w") as archive:
        for name in (*IMAGES, "__MACOSX/cat/._a.png", ".hidden/x.png"):
            archive.writestr(name, content(name) if name in IMAGES else b"")
    return place / "t.zip"


def as_tar(place: Path) -> Path:
    with tarfile.open(place / "t.tar", "w") as archive:
        for number, (name, row) in enumerate(zip(IMAGES, rows(), strict=True)):
            suffix = name.rsplit(".", 1)[1]
            note = json.dumps({"colour": row["colour"], "box": [1, 2]}).encode()
            for end, data in ((suffix, content(name)), ("cls", row["label"].encode()), ("json", note)):
                info = tarfile.TarInfo(f"{number:04}.{end}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return place / "t.tar"


def as_hf(place: Path) -> Path:
    datasets = pytest.importorskip("datasets")
    kinds = {
        "image": datasets.Image(),
        "label": datasets.ClassLabel(names=["cat", "dog"]),
        "colour": datasets.Value("string"),
    }
    columns: dict[str, Any] = {key: [row[key] for row in rows()] for key in ("label", "colour")}
    columns["image"] = [{"bytes": content(name), "path": None} for name in IMAGES]
    datasets.Dataset.from_dict(columns, features=datasets.Features(kinds)).save_to_disk(str(place / "saved"))
    return place / "saved"


SOURCES: dict[str, Callable[[Path], Path]] = {
    "folder": as_folder,
    "csv": as_csv,
    "parquet": as_parquet,
    "zip": as_zip,
    "webdataset": as_tar,
    "hf": as_hf,
}


def check(samples: tuple[ImageSample, ...], *, attributes: bool) -> None:
    assert [sample.label for sample in samples] == ["cat", "cat", "dog", "dog"]
    assert [sample.read() for sample in samples] == [content(name) for name in IMAGES]
    colours = [sample.open().getpixel((3, 3)) for sample in samples]
    assert colours == [COLOURS[colour] for colour in IMAGES.values()]
    assert [dict(sample.attributes) for sample in samples] == [
        {"colour": colour} if attributes else {} for colour in IMAGES.values()
    ]
    assert len({sample.name for sample in samples}) == 4
    for sample in samples:
        with sample.file() as file:
            assert file.read_bytes() == sample.read()


def test_every_kind_has_a_test() -> None:
    assert set(SOURCES) == set(KINDS)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_give_the_same_rows(kind: str, tmp_path: Path) -> None:
    path = str(SOURCES[kind](tmp_path))
    check(read_samples(path, kind=kind).samples, attributes=kind not in ("folder", "zip"))
    if kind != "hf":
        check(read_samples(path).samples, attributes=kind not in ("folder", "zip"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_audits_read_all_kinds(kind: str, tmp_path: Path) -> None:
    reference = f"{kind}:{SOURCES[kind](tmp_path)}"
    readers.known(reference)
    dataset = readers.read(reference)
    assert list(dataset.table["label"]) == ["cat", "cat", "dog", "dog"]
    assert [dataset.file(path).read_bytes() for path in dataset.table["path"]] == [content(name) for name in IMAGES]
    assert dataset.excluded == ()
    assert readers.read(reference).hash == dataset.hash


def test_named_columns_may_have_the_names_of_others(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,image,class,id\nx,a.png,a cat,7\n", encoding="utf-8")
    (sample,) = read_samples(str(tmp_path / "t.csv"), image="image", caption="class").samples
    assert (sample.name, sample.label, sample.captions) == ("a.png", "", ("a cat",))
    assert sample.attributes == {"path": "x", "sample_id": "7"}
    (sample,) = read_samples(str(tmp_path / "t.csv")).samples
    assert (sample.name, sample.label, sample.captions) == ("x", "a cat", ())
    assert sample.attributes == {"image": "a.png", "sample_id": "7"}
    cells = {"path": ["x"], "image": [encoded("red")], "target": ["cat"]}
    pq.write_table(pa.table(cells), tmp_path / "t.parquet")
    (sample,) = read_samples(str(tmp_path / "t.parquet")).samples
    assert (sample.label, sample.attributes, sample.read()) == ("cat", {"path": "x"}, encoded("red"))


def test_a_changed_archive_is_read_again(tmp_path: Path) -> None:
    path = as_zip(tmp_path)
    first = readers.read(f"zip:{path}")
    assert list(first.table["sample_id"]) == list(IMAGES)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("pig/e.png", encoded("pink"))
    assert list(readers.read(f"zip:{path}").table["label"]) == ["cat", "cat", "dog", "dog", "pig"]


def test_names_of_images_are_relative_and_in_a_fixed_order(tmp_path: Path) -> None:
    assert list(image_names(as_folder(tmp_path))) == ["cat/a.png", "cat/deep/b.png", "dog/a.png", "dog/c.jpeg"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *(
            ("a.png", True),
            ("A.WEBP", True),
            ("./a/b.jpeg", True),
            ("../a.jpg", True),
            ("a.gif", False),
            ("png", False),
        ),
        *((".a.png", False), ("a/.b/c.png", False), ("__MACOSX/a.png", False), ("a.png/b.txt", False)),
    ],
)
def test_what_counts_as_an_image(name: str, expected: bool) -> None:
    assert is_image(name) == expected


def test_a_tar_s_large_or_broken_texts_leave_their_image_out(tmp_path: Path) -> None:
    members = {"a.png": encoded("red"), "a.json": b"[1]", "b.png": encoded("red"), "b.txt": b"x" * 100_001}
    with tarfile.open(tmp_path / "t.tar", "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    listing = read_samples(str(tmp_path / "t.tar"))
    assert listing.samples == ()
    assert [entry.split(": ")[1] for entry in listing.skipped] == ["a", "b"]
    with pytest.raises(BadInput, match="2 cannot be used"):
        readers.read(f"webdataset:{tmp_path / 't.tar'}")


def test_an_image_that_is_gone_says_so(tmp_path: Path) -> None:
    folder = as_folder(tmp_path)
    sample = read_samples(str(folder)).samples[0]
    (folder / sample.name).unlink()
    for use in (sample.open, sample.read):
        with pytest.raises(BadPicture, match=r"a\.png"):
            use()


def test_lists_of_classes_are_several_labels(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    kinds = {"image": datasets.Image(), "labels": datasets.Sequence(datasets.ClassLabel(names=["cat", "dog"]))}
    columns = {
        "image": [{"bytes": content(next(iter(IMAGES))), "path": None}] * 3,
        "labels": [[0, 1], [1], []],
    }
    datasets.Dataset.from_dict(columns, features=datasets.Features(kinds)).save_to_disk(str(tmp_path / "saved"))
    assert [sample.label for sample in read_samples(str(tmp_path / "saved"), kind="hf").samples] == [
        "cat|dog",
        "dog",
        "",
    ]
