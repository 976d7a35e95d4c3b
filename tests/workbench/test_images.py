"""Opening pictures: no file may crash, hang or leak, and what comes out is upright 8-bit RGB."""

from __future__ import annotations

import io
import resource
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from tests.workbench.made_pictures import noise, saved, smooth
from workbench import images
from workbench.errors import BadPicture
from workbench.images import MAX_BYTES, safe_decode, safe_open


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    width, height = picture.size
    return [picture.getpixel(at) for at in ((0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1))]  # type: ignore[misc]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_exif_orientation_is_applied_once(tmp_path: Path, orientation: int, kind: str) -> None:
    """A picture is stored turned, in each of the eight ways, and must come back as it was."""
    upright = Image.new("RGB", (40, 24), "white")
    upright.paste((255, 0, 0), (0, 0, 20, 12))
    upright.paste((0, 0, 255), (0, 12, 20, 24))
    back = {  # the inverse of what each orientation asks a viewer to do, worked out by hand
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.ROTATE_90, Image.Transpose.FLIP_TOP_BOTTOM],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.ROTATE_90, Image.Transpose.FLIP_LEFT_RIGHT],
        8: [Image.Transpose.ROTATE_270],
    }
    stored = upright
    for turn in back[orientation]:
        stored = stored.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if kind != "png" else {}
    opened = safe_open(saved(stored, tmp_path / f"turned.{kind}", exif=exif, **options))
    assert opened.size == (40, 24)
    assert np.abs(np.asarray(opened).astype(int) - np.asarray(upright).astype(int)).mean() < 12
    assert opened.getexif().get(0x0112) is None  # nothing is left that could turn it again
    np.testing.assert_array_equal(np.asarray(safe_open(opened)), np.asarray(opened))


def test_sixteen_bits_are_scaled(tmp_path: Path) -> None:
    values = np.array([[0, 128, 257, 25_700, 65_535]], dtype=np.uint16)
    opened = safe_open(saved(Image.fromarray(values), tmp_path / "deep.png"))
    assert opened.mode == "RGB"
    assert np.asarray(opened)[0, :, 0].tolist() == [0, 0, 1, 100, 255]


def test_alpha_lies_over_white(tmp_path: Path) -> None:
    for mode, colour, expected in (
        ("RGBA", (200, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (200, 0, 0, 255), (200, 0, 0)),
        ("RGBA", (0, 0, 0, 51), (204, 204, 204)),
        ("LA", (0, 51), (204, 204, 204)),
    ):
        opened = safe_open(saved(Image.new(mode, (4, 4), colour), tmp_path / "alpha.png"))
        assert opened.mode == "RGB"
        assert max(abs(a - b) for a, b in zip(opened.getpixel((1, 1)), expected, strict=True)) <= 1  # type: ignore[arg-type]


def test_palettes_keep_colours_and_transparency(tmp_path: Path) -> None:
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 10, 200, 30] + [0] * 762)
    assert safe_open(saved(palette, tmp_path / "p.png")).getpixel((0, 0)) == (10, 200, 30)
    assert safe_open(saved(palette, tmp_path / "t.png", transparency=1)).getpixel((0, 0)) == (255, 255, 255)
    assert safe_open(saved(palette, tmp_path / "b.png", transparency=bytes([0, 0]))).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "CMYK", "YCbCr"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    picture = smooth(32, 24).convert(mode)
    path = saved(picture, tmp_path / ("a.png" if mode in "1L" else "a.jpg"))
    opened = safe_open(path)
    assert (opened.mode, opened.size) == ("RGB", (32, 24))
    difference = np.asarray(opened).astype(int) - np.asarray(picture.convert("RGB")).astype(int)
    assert np.abs(difference).mean() < 10


def test_given_pictures_are_never_modified() -> None:
    picture = noise(20, 10)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.info["exif"] = exif.tobytes()
    before = picture.tobytes()
    opened = safe_open(picture)
    assert opened.size == (10, 20)
    assert (picture.size, picture.tobytes(), "exif" in picture.info) == ((20, 10), before, True)
    plain = noise(8, 8)
    assert safe_open(plain) is not plain


def test_a_phone_photo_with_a_second_picture_gives_the_first(tmp_path: Path) -> None:
    first, second = smooth(64, 48), noise(32, 24)
    path = saved(first, tmp_path / "phone.jpg", format="MPO", save_all=True, append_images=[second], quality=95)
    opened = safe_open(path)
    assert opened.size == (64, 48)
    assert np.abs(np.asarray(opened).astype(int) - np.asarray(first).astype(int)).mean() < 6


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    packed = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def header(width: int, height: int) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)


def encoded(kind: str, **options: Any) -> bytes:
    held = io.BytesIO()
    noise(64, 48).save(held, kind, **options)
    return held.getvalue()


def animated(kind: str) -> bytes:
    frames = [noise(32, 32, seed=number) for number in range(3)]
    held = io.BytesIO()
    frames[0].save(held, kind, save_all=True, append_images=frames[1:])
    return held.getvalue()


def text_bomb() -> bytes:
    bomb = b"Comment\x00\x00" + zlib.compress(b"a" * 30_000_000, 9)
    return png(header(8, 8), *[(b"zTXt", bomb)] * 40, (b"IDAT", zlib.compress(b"\x00" * 8 * 25)), (b"IEND", b""))


def scan_bomb() -> bytes:
    whole = encoded("JPEG", progressive=True)
    return whole[:-2] + 200 * whole[whole.rindex(b"\xff\xda") : -2] + whole[-2:]


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "is empty"),
    "html.png": (lambda: b"<html><script>alert(1)</script></html>", "PNG, JPEG or WebP"),
    "drawing.svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "PNG, JPEG or WebP"),
    "moving.gif": (lambda: animated("GIF"), "PNG, JPEG or WebP"),
    "scan.tif": (lambda: encoded("TIFF"), "PNG, JPEG or WebP"),
    "old.bmp": (lambda: encoded("BMP"), "PNG, JPEG or WebP"),
    "apng.png": (lambda: animated("PNG"), "animated"),
    "moving.webp": (lambda: animated("WEBP"), "animated"),
    "cut.png": (lambda: encoded("PNG")[:400], "damaged"),
    "cut.jpg": (lambda: encoded("JPEG")[:600], "damaged"),
    "cut.webp": (lambda: encoded("WEBP")[:200], ""),
    "signature.png": (lambda: b"\x89PNG\r\n\x1a\n", ""),
    "garbled.png": (lambda: encoded("PNG").replace(b"IDAT", b"IDAT" + b"\x00" * 40), ""),
    "big.png": (lambda: png(header(20_000, 20_000), (b"IDAT", b"")), "megapixels"),
    "over.png": (lambda: png(header(8_000, 4_001), (b"IDAT", b"")), "megapixels"),
    "thread.png": (lambda: png(header(1, 32_000_000), (b"IDAT", b"")), "16,384 pixels a side"),
    "long.png": (lambda: png(header(16_385, 1), (b"IDAT", b"")), "16,384 pixels a side"),
    "texts.png": (text_bomb, "damaged"),
    "scans.jpg": (scan_bomb, "passes"),
    "heavy.png": (lambda: encoded("PNG") + b"\x00" * MAX_BYTES, "10 MB"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_is_refused_quickly(tmp_path: Path, name: str) -> None:
    build, expected = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(build())
    safe_open(noise(4, 4))  # plug-ins are loaded once
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    with pytest.raises(BadPicture, match=expected or None) as caught:
        safe_open(path)
    assert time.perf_counter() - began < 0.1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 60_000  # kilobytes
    assert str(tmp_path) not in str(caught.value)
    assert path.name in str(caught.value)


@pytest.mark.parametrize("cut", range(1, 12))
def test_no_cut_of_a_file_does_worse_than_a_refusal(tmp_path: Path, cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as whoever prints a PDF leaves it
    for kind in ("PNG", "JPEG", "WEBP"):
        whole = encoded(kind)
        path = tmp_path / "part"
        path.write_bytes(whole[: len(whole) * cut // 12])
        with pytest.raises(BadPicture):
            safe_open(path)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.data())
def test_no_flipped_bytes_do_worse_than_a_refusal(tmp_path_factory: Any, kind: str, data: st.DataObject) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    broken = bytearray(encoded(kind, exif=exif))
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "flipped"
    path.write_bytes(bytes(broken))
    message = ""
    try:
        message = safe_open(path).mode
    except BadPicture as refused:
        message = str(refused)
    assert message == "RGB" or (path.name in message and str(path.parent) not in message)


def test_missing_files_and_odd_arguments_are_refused(tmp_path: Path) -> None:
    for given_ in (tmp_path / "none.png", tmp_path, "a\0b.png", "x" * 5000, tmp_path / ("y" * 400)):
        with pytest.raises(BadPicture) as caught:
            safe_open(given_)
        assert str(tmp_path) not in str(caught.value)
        assert len(str(caught.value)) < 400
    with pytest.raises(BadPicture, match="megapixels"):
        safe_open(Image.new("1", (8_000, 4_001)))
    with pytest.raises(BadPicture, match="no pixels"):
        safe_open(Image.new("RGB", (0, 5)))
    with pytest.raises(BadPicture, match="no numbers"):
        safe_open(Image.fromarray(np.full((2, 2), np.nan, dtype=np.float32)))
    with pytest.raises(BadPicture, match="ndarray"):
        safe_open(np.zeros((2, 2, 3)))  # type: ignore[arg-type]


def test_colour_profiles_are_ignored(tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    picture = noise(16, 16)
    opened = safe_open(saved(picture, tmp_path / "profiled.png", icc_profile=profile))
    np.testing.assert_array_equal(np.asarray(opened), np.asarray(picture))


def test_refusals_are_the_same_where_warnings_are_errors(tmp_path: Path) -> None:
    (tmp_path / "big.png").write_bytes(REFUSED["over.png"][0]())
    code = (
        "from workbench.images import safe_open\nfrom workbench.errors import BadPicture\nimport sys\n"
        "try:\n    safe_open(sys.argv[1])\nexcept BadPicture as error:\n    print(error)"
    )
    message = [
        subprocess.run(
            [sys.executable, *flags, "-c", code, str(tmp_path / "big.png")], capture_output=True, text=True, check=True
        )
        for flags in ((), ("-W", "error"))
    ]
    assert all("megapixels" in one.stdout and not one.stderr for one in message)


def test_the_process_decodes_so_many_pixels_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now, most = [0], [0]
    counting = threading.Lock()
    upright = images._upright_rgb

    def slow(picture: Image.Image, name: str, *, fresh: bool) -> Image.Image:
        pixels = picture.width * picture.height
        with counting:
            now[0] += pixels
            most[0] = max(most[0], now[0])
        time.sleep(0.02)
        with counting:
            now[0] -= pixels
        return upright(picture, name, fresh=fresh)

    one = 64 * 48
    monkeypatch.setitem(images._decoding, False, images._Gate(3 * one))
    monkeypatch.setattr(images, "_upright_rgb", slow)
    cut = encoded("PNG")[:400]

    def decode(data: bytes) -> bool:
        try:
            return images.safe_decode(data, "x").size == (64, 48)
        except BadPicture:
            return False

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(decode, [encoded("PNG"), cut] * 12)) == [True, False] * 12
    assert 2 * one <= most[0] <= 3 * one
    assert images._decoding[False]._left == 3 * one  # given back after a failure too


def test_a_small_image_does_not_wait_for_large_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    small, large = encoded("PNG"), tmp_path / "large.png"
    Image.new("L", (3000, 2000)).save(large)
    (tmp_path / "small.png").write_bytes(small)
    (tmp_path / "text.png").write_text("no image")
    names = ("large.png", "small.png", "text.png", "none.png")
    assert [images.is_large(tmp_path / name) for name in names] == [True, False, False, False]
    assert [images.is_large(Image.new("L", (side, side))) for side in (2000, 2001)] == [False, True]
    with ThreadPoolExecutor(2) as pool, images._decoding[True].pixels(images.LARGE_AT_ONCE * images.MAX_PIXELS):
        waiting = pool.submit(images.safe_open, large)
        assert pool.submit(images.safe_decode, small, "small").result(5).size == (64, 48)
        assert not waiting.done()
        images._decoding[True]._left += 6_000_000  # as if another one were done
        with images._decoding[True]._changed:
            images._decoding[True]._changed.notify_all()
        assert waiting.result(20).size == (3000, 2000)
        images._decoding[True]._left -= 6_000_000


def test_the_bytes_of_a_file_are_opened_by_the_same_rules(tmp_path: Path) -> None:
    from workbench.images import safe_decode

    file = tmp_path / "x.png"
    Image.new("RGBA", (3, 2), (255, 0, 0, 0)).save(file)
    opened = safe_decode(file.read_bytes(), "row 7")
    assert (opened.mode, opened.size, opened.getpixel((0, 0))) == ("RGB", (3, 2), (255, 255, 255))
    for data, message in (
        (b"", "'row 7' is empty"),
        (b"<svg/>", "'row 7' cannot be read"),
        (b"x" * 10_000_001, "10.0 MB"),
    ):
        with pytest.raises(BadPicture, match=message):
            safe_decode(data, "row 7")


def test_a_progressive_jpeg_may_not_repeat_a_pass_without_end() -> None:
    """Each pass walks over all pixels, however little it holds."""
    held = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(held, "JPEG", progressive=True)
    whole = held.getvalue()
    assert safe_decode(whole, "a.jpg").size == (64, 64)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    endless = whole[:-2] + 40 * last + b"\xff\xd9"
    with Image.open(io.BytesIO(endless)) as opened:
        opened.load()  # Pillow reads all of them
    with pytest.raises(BadPicture, match="more than 32 progressive passes"):
        safe_decode(endless, "a.jpg")


def test_passes_are_counted_up_to_the_end_of_the_image() -> None:
    whole = encoded("JPEG", progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    video = np.random.default_rng(0).bytes(5_000_000)  # as phones write it behind a photo
    assert video.count(b"\xff\xda") > 60
    assert safe_decode(whole + video, "motion.jpg").size == (64, 48)
    for hidden in (b"\xff\xfe\0\4\xff\xd9", b"\xff\x01\xff\xff", b"\xff\xff"):  # end, length, filling
        endless = whole[:-2] + hidden + 40 * last + b"\xff\xd9"
        with Image.open(io.BytesIO(endless)) as opened:
            opened.load()  # a decoder reads all of them
        with pytest.raises(BadPicture, match="more than 32 progressive passes"):
            safe_decode(endless, "a.jpg")


def exif_bomb(entries: int, size: int) -> bytes:
    """EXIF metadata whose every entry is the same `size` bytes: read as written, `entries * size` bytes."""
    listed = [struct.pack("<HHII", 0x0112 + one, 7, size, 14 + 12 * entries) for one in range(entries)]
    return b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + b"".join(listed) + bytes(4 + size)


def jpeg_parts(exif: bytes, times: int = 1, most: int = 65_000) -> bytes:
    """A JPEG with EXIF metadata in parts of at most so many bytes, each as often as is said."""
    parts = [b"Exif\0\0" + exif[at : at + most] for at in range(0, len(exif), most)]
    return encoded("JPEG")[:2] + b"".join(
        times * (b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part) for part in parts
    ) + encoded("JPEG")[2:]  # fmt: skip


LARGE_EXIF = {
    "repeated.jpg": lambda: jpeg_parts(b"II" + bytes(900), 9_000),
    "joined.jpg": lambda: jpeg_parts(exif_bomb(60_000, 4_000_000)),
    "nested.jpg": lambda: jpeg_parts(b"Exif\0\0" * 600_000),
    "chunk.png": lambda: png(header(1, 1), (b"eXIf", exif_bomb(60_000, 4_000_000)), (b"IDAT", zlib.compress(bytes(4)))),
    "text.png": lambda: png(
        header(1, 1),
        (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\n\n\n" + exif_bomb(20_000, 200_000).hex().encode())),
        (b"IDAT", zlib.compress(bytes(4))),
    ),
    "chunk.webp": lambda: encoded("WEBP", exif=exif_bomb(60_000, 4_000_000)),
}  # Pillow alone takes minutes and gigabytes for most of them


@pytest.mark.parametrize("name", LARGE_EXIF)
def test_metadata_cannot_take_time_or_memory(tmp_path: Path, name: str) -> None:
    data = LARGE_EXIF[name]()
    assert len(data) < MAX_BYTES
    (tmp_path / name).write_bytes(data)
    memory, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(BadPicture, match=f"at most 65,536 bytes of EXIF metadata; '{name}' has"):
        safe_decode(data, name)
    assert not images.is_large(tmp_path / name)
    assert time.process_time() - begun < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 100_000  # kilobytes


@pytest.mark.parametrize("marker", [0xC0, 0xDB, 0xE1, 0xEF, 0xFE])
def test_a_jpeg_has_a_bounded_number_of_parts(marker: int) -> None:
    whole, part = encoded("JPEG"), bytes([0xFF, marker, 0, 2])
    begun = time.process_time()
    with pytest.raises(BadPicture, match="more than 16,000 parts"):
        safe_decode(whole[:2] + 2_400_000 * part + whole[2:], "a.jpg")
    assert time.process_time() - begun < 0.5
    if marker > 0xDF:
        assert safe_decode(whole[:2] + 15_000 * part + whole[2:], "a.jpg").size == (64, 48)


def test_metadata_in_two_parts_of_a_jpeg_turns_it() -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "x" * 50_000, 6
    whole = jpeg_parts(exif.tobytes().removeprefix(b"Exif\0\0"), most=30_000)
    with Image.open(io.BytesIO(whole)) as opened:
        assert opened.getexif()[0x0112] == 6
        assert opened.size == (64, 48)
    assert safe_decode(whole, "a.jpg").size == (48, 64)
