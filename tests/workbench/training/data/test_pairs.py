"""Each kind of data is read, what is wrong with it is told, and every picture goes through the safe opening."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from workbench.errors import BadInput, BadPicture
from workbench.training.data import PairListing, find_pairs


def png(colour: str = "red", side: int = 8) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(target, "png")
    return target.getvalue()


def output(result: PairListing) -> list[tuple[str, bool]]:
    return [(pair.text, pair.is_label) for pair in result.pairs]


def opens(result: PairListing) -> bool:
    return all(pair.open().size == (8, 8) and pair.open().mode == "RGB" for pair in result.pairs)


def write(folder: Path, files: dict[str, bytes | str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def tar(path: Path, members: dict[str, bytes], mode: Any = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_class_folders_give_labels(tmp_path: Path) -> None:
    files = {
        "fire_engine/a.png": png(),
        "cat/deep/b.png": png(),
        "lost.png": png(),
        ".hid/c.png": png(),
        "cat/n.md": "x",
    }
    result = find_pairs(str(write(tmp_path, files)))
    assert output(result) == [("cat", True), ("fire engine", True)]
    assert result.passed_over == ("lost.png: it has no caption and is in no class folder",)
    assert opens(result)


def test_text_files_beside_pictures_are_captions(tmp_path: Path) -> None:
    files = {"x/a.png": png(), "x/a.txt": "\ufeffa red\n square ", "b.png": png(), "c.png": png(), "c.txt": " "}
    result = find_pairs(str(write(tmp_path, files)))
    assert output(result) == [("a red square", False)]
    assert result.passed_over == ("b.png: it has no caption", "c.png: it has no caption")


def test_a_table_names_pictures_beside_it(tmp_path: Path) -> None:
    write(tmp_path, {"p/a.png": png(), "t.csv": 'image,text\np/a.png,"red, square"\np/none.png,gone\n,nothing\n'})
    result = find_pairs(str(tmp_path / "t.csv"))
    assert output(result) == [("red, square", False), ("gone", False)]
    assert result.passed_over == ("line 4: it names no image",)
    assert result.pairs[0].open().size == (8, 8)
    with pytest.raises(BadPicture, match=r"none\.png"):
        result.pairs[1].open()
    with pytest.raises(BadInput, match="no column 'caption'; it has: image, text"):
        find_pairs(str(tmp_path / "t.csv"), text="caption")


@pytest.mark.parametrize("form", ["path", "bytes", "struct"])
def test_parquet_holds_paths_or_bytes(tmp_path: Path, form: str) -> None:
    write(tmp_path, {"a.png": png()})
    cells: dict[str, Any] = {
        "path": pa.array(["a.png", None]),
        "bytes": pa.array([png(), None], pa.binary()),
        "struct": pa.array([{"bytes": png(), "path": None}, {"bytes": None, "path": None}]),
    }
    pq.write_table(pa.table({"pic": cells[form], "said": ["red", "nothing"]}), tmp_path / "t.parquet")
    result = find_pairs(str(tmp_path / "t.parquet"), image="pic", text="said")
    assert output(result) == [("red", False)]
    assert result.passed_over == ("t.parquet, row 1: it has no pic",)
    assert opens(result)


def test_webdataset_tars_are_read_where_they_lie(tmp_path: Path) -> None:
    one = {
        "0.jpg": png("blue"),
        "0.txt": b"blue",
        "d/1.seg.png": b"x",
        "d/1.png": png(),
        "d/1.txt": b"red",
        "2.txt": b"no",
    }
    tar(tmp_path / "s-00.tar", one)
    tar(tmp_path / "s-01.tar", {"../3.png": png(), "../3.txt": b"up", "4.png": png()})
    for path in (str(tmp_path), str(tmp_path / "s-{00..01}.tar"), str(tmp_path / "s-*.tar")):
        result = find_pairs(path)
        assert output(result) == [("blue", False), ("red", False), ("up", False)]
        assert result.passed_over == ("s-01.tar: 4: it has no caption",)
        assert opens(result)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s-00.tar", "s-01.tar"]  # nothing was unpacked


def test_zips_and_tars_without_captions_give_labels(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        for name in ("fire_engine/a.png", "cat/b.png", "c.png"):
            archive.writestr(name, png())
    result = find_pairs(str(tmp_path / "t.zip"))
    assert output(result) == [("fire engine", True), ("cat", True)]
    assert result.passed_over == ("c.png: it has no caption and is in no class folder",)
    assert opens(result)
    tar(tmp_path / "t.tar", {"0.png": png(), "0.cls": b"cat", "1.png": png(), "1.json": b'{"label": "dog"}'})
    assert output(find_pairs(str(tmp_path / "t.tar"))) == [("cat", True), ("dog", True)]


def test_shapes_need_no_files() -> None:
    result = find_pairs("", kind="shapes", seed=3)
    assert len(result.pairs) == 4096
    assert result.pairs[0].open().size == (128, 128)
    assert result.hashes()["content_sha256"] is None
    assert result.hashes()["listing_sha256"] != find_pairs("", kind="shapes", seed=4).hashes()["listing_sha256"]


def _packed(folder: Path) -> str:
    return str(tar(folder / "x.tar", {"0.png": png(), "0.txt": b"a"}, "w:gz"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: str(folder), "has none"),
        (lambda folder: str(folder / "none"), "no data at"),
        (lambda folder: str(folder / "*.tar"), "no data at"),
        (lambda folder: str(folder / "{0..2}.tar"), "3 are missing"),
        (lambda folder: str(folder / "{2..0}.tar"), "low to a high"),
        (lambda folder: "https://example.org/x.tar", "nothing is downloaded"),
        (lambda folder: str(write(folder, {"a.csv": "image,text\n"}) / "a.csv"), "has none"),
        (
            lambda folder: str(write(folder, {"a.csv": b"image,text\n\xff\xfe,x\n"}) / "a.csv"),
            "is UTF-8 text",
        ),
        (lambda folder: str(write(folder, {"a.parquet": "PAR1"}) / "a.parquet"), "cannot be read as Parquet"),
        (lambda folder: str(write(folder, {"a.tar": "x" * 600}) / "a.tar"), "uncompressed tar"),
        (lambda folder: str(write(folder, {"a.rar": "x"}) / "a.rar"), "Data are a folder, or files ending in"),
        (_packed, "uncompressed tar"),
    ],
)
def test_what_holds_no_data_is_told(tmp_path: Path, make: Callable[[Path], str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        find_pairs(make(tmp_path))


def test_a_kind_that_does_not_fit_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "image,text\nx,y\n"})
    for kind, message in (("parquet", "kind parquet"), ("folder", "reads a folder"), ("rar", "Kinds of data")):
        with pytest.raises(BadInput, match=message):
            find_pairs(str(tmp_path / "a.csv"), kind=kind)


def test_a_picture_in_a_tar_that_is_no_picture_is_refused_when_opened(tmp_path: Path) -> None:
    result = find_pairs(str(tar(tmp_path / "x.tar", {"0.png": b"<svg/>", "0.txt": b"a"})))
    with pytest.raises(BadPicture, match=r"x\.tar: 0"):
        result.pairs[0].open()


def test_hashes_tell_data_apart(tmp_path: Path) -> None:
    write(tmp_path, {"a/1.png": png(), "a/2.png": png()})
    first = find_pairs(str(tmp_path)).hashes()
    assert find_pairs(str(tmp_path)).hashes() == first
    content = bytearray((tmp_path / "a/1.png").read_bytes())
    content[-9] ^= 1  # same name, same size
    (tmp_path / "a/1.png").write_bytes(content)
    changed = find_pairs(str(tmp_path)).hashes()
    assert changed["content_sha256"] != first["content_sha256"]
    assert changed["listing_sha256"] == first["listing_sha256"]
