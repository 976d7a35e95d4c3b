"""Files for the search: valid ones, ones built part by part with odd values, and ones damaged in places.

Everything is drawn from the random generator that is given, so a seed repeats a search.
"""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from PIL import Image

ODD = (
    0,
    1,
    2,
    3,
    7,
    8,
    16,
    127,
    128,
    255,
    256,
    5000,
    16_384,
    16_385,
    32_767,
    65_535,
    2**20,
    2**31 - 1,
    2**31,
    2**32 - 1,
)
PNG_KINDS = (
    (1, 0),
    (2, 0),
    (4, 0),
    (8, 0),
    (16, 0),
    (8, 2),
    (16, 2),
    (1, 3),
    (2, 3),
    (4, 3),
    (8, 3),
    (8, 4),
    (16, 4),
    (8, 6),
    (16, 6),
)
EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"  # an image turned by 90 degrees


def _exif(rng: Random) -> bytes:
    """EXIF metadata: a damaged one, one that repeats itself, or a list of entries, whose contents may overlap."""
    way = rng.random()
    if way < 0.6:
        return damaged(EXIF, rng)
    if way < 0.7:
        return EXIF[:6] * rng.choice([2, 9_000, 900_000])
    entries, size = rng.choice([1, 40, 5_000, 65_000]), rng.choice([4, 3_000, 60_000, 1_000_000])
    listed = (
        struct.pack("<HHII", rng.randrange(65_536), rng.choice([1, 2, 3, 5, 7, 99]), size, 8) for _ in range(entries)
    )
    return EXIF[:6] + b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + b"".join(listed) + bytes(4 + size)


def encoded(kind: str, mode: str, *, exif: bool = False, size: tuple[int, int] = (40, 50), **more: Any) -> bytes:
    """Return an image file of random pixels; kind: PNG, JPEG or WEBP; size: height and width."""
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    more |= {"exif": EXIF} if exif else {}
    out = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(out, kind, **more)
    return out.getvalue()


def image_seeds() -> list[bytes]:
    """Return valid images of all kinds that are read."""
    kinds = [("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")]
    kinds += [("JPEG", mode) for mode in ("L", "RGB", "CMYK")] + [("WEBP", mode) for mode in ("RGB", "RGBA")]
    still = [encoded(kind, mode, exif=exif) for kind, mode in kinds for exif in (False, True)]
    return [*still, encoded("JPEG", "RGB", progressive=True), encoded("WEBP", "RGB", lossless=True, size=(8, 9))]


def _png(rng: Random) -> bytes:
    """A PNG whose chunks have right checksums and odd contents."""
    width, height = rng.choice([(rng.randint(1, 40), rng.randint(1, 40)), (rng.choice(ODD), rng.choice(ODD))])
    depth, colour = rng.choice(PNG_KINDS) if rng.random() < 0.9 else (rng.randrange(20), rng.randrange(10))
    header = struct.pack(
        ">2I5B", width, height, depth, colour, *rng.choice([(0, 0, 0), (0, 0, 0), (0, 0, 1), (1, 0, 9)])
    )
    rows = min((width * rng.randint(1, 8) + 1) * height, rng.choice([10_000, 1_000_000, 150_000_000]))
    content = bytes(rows) if rng.random() < 0.7 else rng.randbytes(min(rows, 5_000))
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(content, 1)), (b"IEND", b"")]
    for _ in range(rng.randint(0, 4)):
        text = rng.choice(
            [b"{}", b'{"version": 1, "settings": {}}', b"[" * 900, b"\xff\0x", bytes(rng.choice(ODD[:14]))]
        )
        packed = zlib.compress(rng.choice([text, bytes(rng.choice([100, 3_000_000]))]))
        key = rng.choice([b"clip_workbench", b"parameters", b"", b"x" * 90])
        extra = rng.choice(
            [
                (b"tEXt", key + b"\0" + text),
                (b"zTXt", key + b"\0" + rng.choice([b"\0", b"\1"]) + packed),
                (b"iTXt", key + b"\0" + rng.choice([b"\0\0", b"\1\0", b"\1\1"]) + b"en\0\0" + packed),
                (b"iCCP", key + b"\0\0" + packed),
                (b"eXIf", _exif(rng)[6:]),
                (b"PLTE", rng.randbytes(rng.choice([3, 4, 768, 900]))),
                (b"tRNS", rng.randbytes(rng.choice([0, 1, 2, 6, 256, 300]))),
                (b"acTL", struct.pack(">2I", rng.choice(ODD), rng.choice(ODD))),
                (b"fcTL", rng.randbytes(26)),
                (b"pHYs", rng.randbytes(rng.choice([0, 9]))),
                (b"sRGB", rng.randbytes(rng.choice([0, 1]))),
                (b"gAMA", rng.randbytes(rng.choice([0, 4]))),
                (b"IHDR", header),
                (bytes(rng.choice(b"aAzZ\0\xff") for _ in range(4)), rng.randbytes(8)),
            ]
        )
        chunks.insert(rng.randint(0 if rng.random() < 0.1 else 1, len(chunks)), extra)
    parts = [b"\x89PNG\r\n\x1a\n"]
    for name, content in chunks:
        size = len(content) if rng.random() < 0.99 else rng.choice(ODD)
        parts.append(struct.pack(">I", size) + name + content + struct.pack(">I", zlib.crc32(name + content)))
    return b"".join(parts)


def _jpeg(rng: Random) -> bytes:
    """A JPEG with segments changed, repeated, left out or put in."""
    data = encoded("JPEG", rng.choice(["L", "RGB", "CMYK"]), progressive=rng.random() < 0.5)
    segments, at = [], 2
    while data[at + 1] != 0xDA:
        size = int.from_bytes(data[at + 2 : at + 4], "big") + 2
        segments.append(data[at : at + size])
        at += size
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(segments))
        way = rng.choice(["damage", "repeat", "drop", "size", "exif", "marker"])
        if way == "damage":
            segments[place] = segments[place][:4] + damaged(segments[place][4:], rng)
        elif way == "repeat":
            segments[place] *= min(rng.choice([2, 2, 300, 300, 900_000]), 9_000_000 // len(segments[place]) or 1)
        elif way == "drop" and len(segments) > 1:
            del segments[place]
        elif way == "size":  # height and width of the frame, or whatever stands there
            one = bytearray(segments[place])
            one[5:9] = struct.pack(">2H", *(min(rng.choice(ODD), 65_535) for _ in range(2)))
            segments[place] = bytes(one)
        elif way == "exif":
            body = _exif(rng)
            for start in range(0, len(body), 65_000):
                part = body[:6] * (start > 0) + body[start : start + 65_000]
                segments.insert(start // 65_000, b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part)
        else:
            body = rng.choice(
                [b"MPF\0II*\0\x08\0\0\0", b"ICC_PROFILE\0\1\1", b"Adobe\0d\0\0\0\0\2", b"Photoshop 3.0\08BIM"]
            )
            body += rng.randbytes(rng.randint(0, 60))
            segments.insert(place, bytes([0xFF, rng.randrange(0xC0, 0xFF)]) + struct.pack(">H", len(body) + 2) + body)
    return data[:2] + b"".join(segments) + data[at:]


def _webp(rng: Random) -> bytes:
    """A WebP with the chunks of an extended file, in odd sizes."""
    inner = encoded("WEBP", rng.choice(["RGB", "RGBA"]), lossless=rng.random() < 0.5, size=(8, 9))[12:]
    width, height = (8, 7) if rng.random() < 0.6 else (min(rng.choice(ODD), 2**24 - 1) for _ in range(2))  # minus 1
    size = struct.pack("<I", width)[:3] + struct.pack("<I", height)[:3]
    flags = rng.choice([0, 2, 4, 8, 16, 32, rng.randrange(256)])
    parts = [b"VP8X" + struct.pack("<I", 10) + bytes([flags, 0, 0, 0]) + size]
    parts.append(inner if rng.random() < 0.7 else damaged(inner, rng))
    for _ in range(rng.randint(0, 3)):
        body = rng.choice([_exif(rng), rng.randbytes(6), bytes(16) + inner, b"<x/>"])
        name = rng.choice([b"ANIM", b"ANMF", b"EXIF", b"XMP ", b"ICCP", b"ALPH", b"VP8 ", b"VP8L"])
        length = len(body) if rng.random() < 0.8 else rng.choice(ODD)
        parts.insert(rng.randint(0, len(parts)), name + struct.pack("<I", length) + body + b"\0" * (len(body) % 2))
    content = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(content) if rng.random() < 0.9 else rng.choice(ODD)) + content


NAMES = (
    "a.png", "cat/1.png", "cat/2.PNG", "a/b/c/d.webp", "../a.png", "/a.png", "C:\\a.png", "a/", "a\0b.png",
    "x" * 300 + ".png", "a.zip", "a", "", " ", ".", "..", "a//b.png", "./a.png", "ä.png", "\u202egnp.exe",
    "a\nb.png", "cat", "CAT/1.png", "a.tar.gz",
)  # fmt: skip


def zip_file(rng: Random) -> bytes:
    """A zip of few files with odd names, kinds, methods and contents; some of its records lie."""
    out = io.BytesIO()
    picture = encoded("PNG", "L", size=(3, 4))
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
        warnings.simplefilter("ignore")  # the same name twice
        many = rng.random() < 0.05
        for number in range(rng.choice([0, 6, 40, 300]) if many else rng.randint(1, 4)):
            info = zipfile.ZipInfo(rng.choice(NAMES))
            info.external_attr = rng.choice([0, 0, 0o100644, 0o100644, 0o120777, 0o040755]) << 16
            info.compress_type = rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED])
            info.extra = rng.choice([b"", b"", b"\1\0\x08\0" + b"\xff" * 8, b"up\5\0\1abcd", rng.randbytes(5)])
            info.comment = rng.randbytes(rng.choice([0, 3, 5000]))
            large = bytes(3_000_000) if info.compress_type and not many else b"x"
            info.filename = f"{number}{info.filename}" if rng.random() < 0.6 else info.filename
            archive.writestr(info, rng.choice([b"", large, picture, picture, rng.randbytes(500)]))
        archive.comment = rng.choice([b"", b"PK\5\6" + bytes(18), rng.randbytes(30)])
    data = bytearray(out.getvalue())
    places = [at for at in range(len(data) - 21) if data[at : at + 2] == b"PK" and data[at + 2] in (1, 3, 5, 6, 7)]
    for _ in range(rng.choice([0, 1, 1, 2, 4])):  # a field of a record: a size, an offset, a method, a length
        at, offset, size = rng.choice(places), rng.randrange(4, 46), rng.choice([2, 4])
        data[at + offset : at + offset + size] = struct.pack("<I", rng.choice(ODD))[:size]
    return bytes(data)


YAML_PIECES = (
    "a: ", "- ", "? ", "[", "]", "{", "}", ", ", "&a ", "*a", "!!int ", "!!python/name:os ", "|\n", ">\n", "'",
    '"', "#", "%YAML 1.1\n", "---\n", "...\n", "\n", "\n  ", "\t", "1:2", "9999-99-99", "0x", "0b2", "1e999",
    ".inf", "~", "<<: ", "\\U0011", "\u2028", "\x85", "é", "1_0", "\ufeff", "\0", "\U0001f600", "1:" * 40,
    "9" * 19, "!<x> ", "|9\n", ": ", "=", "@", "`", "templates: ", "labels: ", "true",
)  # fmt: skip
CSV_PIECES = (
    "path", "label", "cluster", "split", "sha256", "file", "image", "id", '"', '""', '"a\nb"', "a,b", "=1+1",
    "\0", "\ufeff", "\r", "\n", ",", ",", ",", "\n", "é" * 40, "\u2028", "x" * 140_000, "../../etc/passwd",
    "a.png", "cat/1.png", "\t", ";", "'", "\ud800", "\x1a",
)  # fmt: skip


def text_file(pieces: tuple[str, ...], most: int, rng: Random) -> bytes:
    """A text of pieces: a few in any order, or one or two of them very often."""
    if rng.random() < 0.15:
        some = "".join(rng.choices(pieces, k=rng.randint(1, 3)))
        text = some * rng.randint(1, max(1, most // max(1, len(some))))
    else:
        text = "".join(rng.choices(pieces, k=rng.choice([3, 10, 40, 200])))
    return text[:most].encode("utf-8", "surrogatepass")


def damaged(data: bytes, rng: Random) -> bytes:
    """Return a file in which bytes were changed, cut out, repeated or put in."""
    out = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 3, 8])):
        at, size = rng.randint(0, max(0, len(out) - 1)), rng.choice([1, 1, 2, 4, 16, 200])
        way = rng.choice(["change", "bit", "cut", "repeat", "insert", "number", "end"])
        if way == "change":
            out[at : at + 1] = rng.randbytes(1)
        elif way == "bit" and out:
            out[at] ^= 1 << rng.randrange(8)
        elif way == "cut":
            del out[at : at + size]
        elif way == "repeat":
            out[at:at] = out[at : at + size] * rng.choice([1, 2, 50])
        elif way == "insert":
            out[at:at] = rng.randbytes(rng.randint(1, 20))
        elif way == "number":  # a length or a size that lies
            out[at : at + 4] = struct.pack(rng.choice("<>") + "I", rng.choice(ODD))
        elif rng.random() < 0.2:
            del out[at:]
    return bytes(out)


def image_file(rng: Random) -> bytes:
    """A PNG, JPEG or WebP, built part by part."""
    return rng.choice([_png, _jpeg, _webp])(rng)


def yaml_file(rng: Random) -> bytes:
    """YAML, or nearly."""
    return text_file(YAML_PIECES, 64_000, rng)


def csv_file(rng: Random) -> bytes:
    """A table: a header that names images and rows of its length, or pieces of one in any order."""
    if rng.random() < 0.5:
        return text_file(CSV_PIECES, 900_000, rng)
    columns = rng.randint(1, 5)
    lines = [["path", *rng.choices(CSV_PIECES, k=columns - 1)]]
    lines += [rng.choices(CSV_PIECES, k=columns) for _ in range(rng.choice([0, 1, 5, 50]))]
    return "\n".join(",".join(line) for line in lines).encode("utf-8", "surrogatepass")


MAKERS: dict[str, Callable[[Random], bytes]] = {
    "image": image_file,
    "zip": zip_file,
    "yaml": yaml_file,
    "csv": csv_file,
}
