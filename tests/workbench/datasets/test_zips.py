"""Crafted zips: what is dangerous is refused whole and at once, what is merely broken costs one row."""

from __future__ import annotations

import io
import stat
import tempfile
import time
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from workbench.datasets.uploads import read_uploads
from workbench.errors import BadInput, BadPicture


def png(colour: str = "red") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(data, "PNG")
    return data.getvalue()


def make(place: Path, members: dict[str, bytes], *, mode: int = 0, packing: int = zipfile.ZIP_STORED) -> Path:
    path = place / "bundle.zip"
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = packing
            info.external_attr = mode << 16
            archive.writestr(info, data)
    return path


def refused(path: Path, match: str) -> None:
    began = time.perf_counter()
    with pytest.raises(BadInput, match=match):
        read_uploads([path])
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    "name", ["../out.png", "a/../../out.png", "/etc/out.png", "C:/out.png", "..\\out.png", "\\x.png", "a\nb.png"]
)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    refused(make(tmp_path, {name: png()}), "leads out")
    assert {path.name for path in tmp_path.parent.glob("*.png")} == set()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    refused(make(tmp_path, {"a.png": b"/etc/passwd"}, mode=kind | 0o644), "link or a device")


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_packings_that_unpack_without_bound_are_refused(tmp_path: Path, packing: int) -> None:
    bomb = make(tmp_path, {"a.png": bytes(9_000_000)}, packing=packing)
    lie = bomb.read_bytes().replace((9_000_000).to_bytes(4, "little"), (900_000).to_bytes(4, "little"))
    bomb.write_bytes(lie)  # ten times what it claims, and could be a thousand times
    refused(bomb, "rare way")


@pytest.mark.parametrize("name", ["inner.zip", "a/b.tar.gz", "x.7z", "y.RAR"])
def test_archives_within_are_refused(tmp_path: Path, name: str) -> None:
    refused(make(tmp_path, {"a.png": png(), name: b"PK"}), "another archive")


def test_encrypted_entries_are_refused(tmp_path: Path) -> None:
    path = make(tmp_path, {"a.png": png()})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    refused(path, "encrypted")


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_names_given_twice_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", png())
        archive.writestr("a.png", png("blue"))
    refused(path, "more than once")


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    refused(make(tmp_path, {f"{number}.png": b"" for number in range(257)}), "at most 256")
    refused(make(tmp_path, {f"{number}.png": b"" for number in range(5000)}), "at most 256")


def test_bombs_are_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    refused(make(tmp_path, {"a.png": bytes(9_000_000)}, packing=zipfile.ZIP_DEFLATED), "as no image does")
    path = make(tmp_path, {f"{number}.png": b"x" for number in range(2)})
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\x01\x02")
    data[at + 24 : at + 28] = (400_000_000).to_bytes(4, "little")
    path.write_bytes(data)
    refused(path, "at most 300 MB")


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all", b"PK\x05\x06" + bytes(8)])
def test_what_is_no_zip_is_said(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(data)
    refused(path, "bundle.zip")


def test_pictures_come_with_folders_and_leave_nothing_behind(tmp_path: Path) -> None:
    path = make(tmp_path, {"cats/a.png": png(), "cats/notes.txt": b"x", "__MACOSX/._a.png": b"x", "b.JPG": b"x"})
    before = set(Path(tempfile.gettempdir()).glob("clip-workbench-image-*"))
    listing = read_uploads([path])
    assert [(sample.name, sample.label) for sample in listing.samples] == [("cats/a.png", "cats"), ("b.JPG", "")]
    assert listing.ignored == ("cats/notes.txt", "__MACOSX/._a.png")
    with listing.samples[0].file() as file:
        assert file.read_bytes() == png()
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert file.name == "image.png"
    assert not file.exists()
    assert set(Path(tempfile.gettempdir()).glob("clip-workbench-image-*")) == before


def test_an_entry_that_breaks_its_promise_costs_itself_only(tmp_path: Path) -> None:
    path = make(tmp_path, {"a.png": png(), "b.png": png("blue")})
    data = bytearray(path.read_bytes())
    data[data.find(b"IDAT") + 6] ^= 0xFF  # the first picture's bytes no longer have its checksum
    path.write_bytes(data)
    damaged, whole = read_uploads([path]).samples
    with pytest.raises(BadPicture, match="damaged"), damaged.file():
        pass
    assert whole.read() == png("blue")


def test_files_keep_distinct_names_and_zips_are_not_mixed(tmp_path: Path) -> None:
    listing = read_uploads([tmp_path / "x" / "a.png", tmp_path / "y" / "a.png"])
    assert [sample.name for sample in listing.samples] == ["a.png", "a.png (2)"]
    for given, match in (
        ([], "got none"),
        ([tmp_path / "a.zip", tmp_path / "b.png"], "one zip"),
        ([Path("a.png")] * 257, "257"),
    ):
        with pytest.raises(BadInput, match=match):
            read_uploads(given)


@pytest.mark.parametrize("name", ["a" * 300 + ".png", "/".join(["folder" * 20] * 12) + "/a.png"])
def test_names_that_no_disk_holds_are_refused(tmp_path: Path, name: str) -> None:
    refused(make(tmp_path, {name: png()}), "too long")


def test_a_file_that_is_a_folder_as_well_is_refused(tmp_path: Path) -> None:
    refused(make(tmp_path, {"a.png": png(), "a.png/b.png": png()}), "named like the folder")


def test_hidden_folders_hold_no_images(tmp_path: Path) -> None:
    listing = read_uploads([make(tmp_path, {".git/a.png": png(), "a/.b/c.png": png(), "a/c.png": png()})])
    assert [sample.name for sample in listing.samples] == ["a/c.png"]


def test_more_files_are_read_where_more_are_allowed(tmp_path: Path) -> None:
    """Each is found by its place: reading 900 images does not read the zip's list 900 times."""
    members = {f"class {number % 300}/{number}.png": png() for number in range(900)}
    path = make(tmp_path, members, packing=zipfile.ZIP_DEFLATED)
    refused(path, "at most 256")
    samples = read_uploads([path], limit=1000).samples
    assert (len(samples), samples[-1].label) == (900, "class 299")
    began = time.perf_counter()
    assert {sample.read() for sample in samples} == {png()}
    assert time.perf_counter() - began < 1.0
    with zipfile.ZipFile(path) as archive:
        assert archive.read("class 299/899.png") == samples[-1].read()
