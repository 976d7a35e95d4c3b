"""Images, zips, YAML and CSV: no content does worse than a sentence, within bounded time and memory.

What a search found once stands in `KEPT` and in `cases/`; `python -m tests.fuzz` searches on.
"""

from __future__ import annotations

import io
import os
import resource
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.fuzz import search as searching
from tests.fuzz.files import MAKERS, YAML_PIECES, encoded, image_seeds
from tests.fuzz.search import execute
from tests.fuzz.targets import TARGETS, Target
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


IMAGES = st.sampled_from(image_seeds())


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
            content = draw(st.sampled_from([b"", b"x", bytes(3_000_000), encoded("PNG", "RGB")]))
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


PIECES = st.sampled_from(YAML_PIECES)
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
    "YAML: a character far beyond Unicode": lambda: parse('"\\Ueeeeeeee"', "The protocol"),
    "YAML: half a character": lambda: parse('"\\ud800"', "The protocol"),
    "zip: an entry without a name": lambda: checked_members(io.BytesIO(NAMELESS), "a.zip"),
    "YAML: a list that holds itself": lambda: parse("&a [*a]", "The protocol"),
    "CSV: a million rows of true labels": lambda: TARGETS["csv"].read(b"file,label\n" + b"a,b\n" * 1_000_000),
}
CASES = sorted(path for path in Path(__file__).with_name("cases").glob("*/*") if path.name != "at-work")


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_files_that_a_search_found(path: Path) -> None:
    outcome = execute(TARGETS[path.parent.name], path.read_bytes())
    assert not outcome.fault, f"{outcome.seconds:.2f} s, {outcome.memory / 1000:.0f} MB: {outcome.text}"


@pytest.mark.parametrize("name", TARGETS)
def test_a_short_search_repeats_itself_and_meets_both_answers_and_refusals(name: str) -> None:
    target, made = TARGETS[name], [[MAKERS[name](Random(3)) for _ in range(2)] for _ in range(2)]
    assert made[0] == made[1]
    outcomes = [execute(target, data) for data in (*target.seeds(), *(MAKERS[name](Random(at)) for at in range(60)))]
    assert not any(one.fault for one in outcomes)
    assert {one.refused for one in outcomes} == {True, False}


def _faulty(data: bytes) -> str:
    """A reader with four faults: an error, a bare word, slow files, a large one."""
    if data.startswith(b"E"):
        raise KeyError("planted")
    if data.startswith(b"W"):
        raise BadInput("Error")
    end = time.process_time() + (1.8 if data.startswith(b"SL") else 0.9 if data.startswith(b"S") else 0)
    while time.process_time() < end:
        pass
    return str(len(b"x" * 40_000_000 if data.startswith(b"M") else data) > 3)


def _faults(*files: bytes) -> list[str]:
    searching.SECONDS, searching.MEMORY = 0.8, 20_000
    target = Target(_faulty, lambda: [b"fine"], lambda rng: rng.randbytes(40))
    return [searching.execute(target, data).fault for data in files]


def test_each_kind_of_fault_is_noticed() -> None:
    """In a process of its own, which no earlier test left memory in that is given back meanwhile."""
    files = (b"E", b"W", b"S", b"M", b"fine", b"S" * 2_000_000, b"SL" * 1_000_000)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        faults = pool.submit(_faults, *files).result()
    assert faults[0].startswith("KeyError at test_readers.py")
    assert faults[1:] == ["an odd sentence", "slow", "much memory", "", "", "slow"]  # a larger file may take longer


def test_a_file_that_fails_is_cut_down_and_saved_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = Target(_faulty, lambda: [b"fine"], lambda rng: rng.choice([b"E", b"fine"]) + rng.randbytes(40))
    tally = searching.Tally()
    searching.search(target, Random(0), seconds=2, tally=tally, save=tmp_path)
    ((fault, path),) = tally.findings.items()
    assert fault.startswith("KeyError")
    assert path.read_bytes() == b"E"
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert capsys.readouterr().out.count("FOUND") == 1
    assert tally.executions > 4


@pytest.mark.parametrize("name", KEPT)
def test_what_a_search_found(name: str) -> None:
    assert isinstance(bounded(KEPT[name]), str)
