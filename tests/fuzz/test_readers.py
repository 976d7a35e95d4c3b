"""Images, zips, YAML and CSV: no content does worse than a sentence, within bounded time and memory.

What a search found once stands in `KEPT`.
"""

from __future__ import annotations

import io
import os
import resource
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from workbench.datasets.csv_files import read_csv
from workbench.datasets.zips import checked_members, read_zip
from workbench.errors import BadInput
from workbench.images import MAX_PIXELS, safe_decode
from workbench.yaml_file import parse

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "120"))
SECONDS = 2.0  # of this process, for one file
GROWTH = 700_000  # kB that the process may grow by: a file of the largest size is decoded in the search

fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)


def bounded(read: Callable[[], Any]) -> Any:
    """Return what a reader returns, or the sentence of its refusal; any other error, and a slow answer, fail."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    try:
        result: Any = read()
    except BadInput as error:
        result = str(error)
        assert 10 < len(result) < 700
        assert "/tmp" not in result
    assert time.process_time() - begun < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < GROWTH
    return result


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """A file in which bytes were changed, cut out, repeated or put in."""
    data = bytearray(draw(whole))
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        size = draw(st.sampled_from([1, 1, 2, 4, 16, 200]))
        way = draw(st.sampled_from(["change", "change", "cut", "repeat", "insert", "number"]))
        if way == "change":
            data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
        elif way == "cut":
            del data[at : at + size]
        elif way == "repeat":
            data[at:at] = data[at : at + size] * draw(st.integers(1, 50))
        elif way == "insert":
            data[at:at] = draw(st.binary(max_size=20))
        else:  # a length or a size that lies
            data[at : at + 4] = draw(
                st.sampled_from([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\0\x40\0"])
            )
    return bytes(data)


def _encoded(kind: str, mode: str, exif: bool) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    more: dict[str, Any] = {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"} if exif else {}
    Image.fromarray(pixels).convert(mode).save(out, kind, **more)
    return out.getvalue()


IMAGES = st.sampled_from(
    [
        *(
            _encoded("PNG", mode, exif)
            for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
            for exif in (False, True)
        ),
        *(_encoded("JPEG", mode, exif) for mode in ("L", "RGB", "CMYK") for exif in (False, True)),
        *(_encoded("WEBP", mode, exif) for mode in ("RGB", "RGBA") for exif in (False, True)),
    ]
)


@fuzz
@given(damaged(IMAGES))
def test_images(data: bytes) -> None:
    image = bounded(lambda: safe_decode(data, "x.png"))
    if isinstance(image, Image.Image):
        assert image.mode == "RGB"
        assert 1 <= image.width * image.height <= MAX_PIXELS
        assert not image.info


NAMES = st.one_of(
    st.text(min_size=1, max_size=30),
    st.sampled_from(
        ["a/b.png", "../a.png", "/a.png", "C:\\a.png", "a/", "a\0b.png", "x" * 300 + ".png", "a.zip", "cat/1.png"]
    ),
)


@st.composite
def zips(draw: st.DrawFn) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in draw(st.lists(NAMES, max_size=6)):
            info = zipfile.ZipInfo(name.encode("utf-8", "ignore").decode() or "x")
            info.external_attr = draw(st.sampled_from([0, 0o100644, 0o120777, 0o040755, 0o060000])) << 16
            info.compress_type = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA]))
            content = draw(st.sampled_from([b"", b"x", bytes(3_000_000), _encoded("PNG", "RGB", exif=False)]))
            archive.writestr(info, content)
    return out.getvalue()


@fuzz
@given(data=damaged(zips()))
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zips(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(data)
    listing = bounded(lambda: read_zip(file))
    for sample in getattr(listing, "samples", ()):
        bounded(sample.read)
    assert [one.name for one in tmp_path.iterdir()] == ["a.zip"]  # nothing is unpacked beside it


PIECES = st.sampled_from(
    [
        *(
            "a: ",
            "- ",
            "? ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            "&a ",
            "*a",
            "!!int ",
            "!!python/name:os ",
            "|\n",
            ">\n",
            "'",
            '"',
        ),
        *("#", "%YAML 1.1\n", "---\n", "...\n", "\n", "\n  ", "\t", "1:2", "9999-99-99", "0x", "0b2", "1e999", ".inf"),
        *("~", "<<: ", "\\U0011", "\u2028", "\x85", "é", "1_0"),
    ]
)
YAML = st.one_of(
    st.text(max_size=200),
    st.lists(PIECES, max_size=60).map("".join),
    st.tuples(PIECES, st.integers(1, 60_000)).map(lambda pair: (pair[0] * pair[1])[:64_000]),
    st.tuples(PIECES, PIECES, st.integers(1, 30_000)).map(lambda one: ((one[0] + one[1]) * one[2])[:64_000]),
)


@fuzz
@given(YAML)
def test_yaml(text: str) -> None:
    content = bounded(lambda: parse(text, "The protocol"))
    str(content).encode()


CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["path", "label", '"', '""', '"a\nb"', "a,b", "=1+1", "\0", "\ufeff", "\r", "é" * 40]),
)
TABLES = st.lists(st.lists(CELLS, max_size=5).map(",".join), max_size=20).map("\n".join)


@fuzz
@given(data=damaged(TABLES.map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_csv(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(data)
    table = bounded(lambda: read_csv(file, max_bytes=5_000_000, max_rows=1000))
    for _, cells in getattr(table, "rows", ()):
        assert len(cells) == len(table.columns)


NAMELESS = (
    b"PK\x03\x04\x14" + bytes(7) + b"!" + bytes(17) + b"PK\x01\x02\x14\x03\x14" + bytes(7) + b"!" + bytes(25)
    + b"\x80\x01" + bytes(4) + b"PK\x05\x06" + bytes(4) + b"\x01\0\x01\0.\0\0\0\x1e\0\0\0\0\0"
)  # fmt: skip
KEPT: dict[str, Callable[[], Any]] = {
    "YAML: a character beyond Unicode": lambda: parse('"\\U00110000"', "The protocol"),
    "YAML: half a character": lambda: parse('"\\ud800"', "The protocol"),
    "zip: an entry without a name": lambda: checked_members(io.BytesIO(NAMELESS), "a.zip"),
    "YAML: a list that holds itself": lambda: parse("&a [*a]", "The protocol"),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_a_search_found(name: str) -> None:
    assert isinstance(bounded(KEPT[name]), str)
