"""YAML files that people write: bounded, harmless, and refused with the name of what they should be."""

from __future__ import annotations

import contextlib
import time
from functools import reduce
from pathlib import Path

import pytest
import yaml

from workbench.errors import BadInput, UnknownName
from workbench.yaml_file import MAX_BYTES, load, parse


def test_what_stands_there_is_returned(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("title: ü\nrules: [1, 2]\n", encoding="utf-8")
    assert load(path, "suite") == {"title": "ü", "rules": [1, 2]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [", "The suite 'a.yaml' is not valid YAML: "),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"x: !!python/object/apply:os.getcwd []", r"the tag '.*' is not read, line 1"),
        (b"[" * 5000, "it has more than 64 lists or mappings within each other"),
        (b"a" * (MAX_BYTES + 1), "is longer than 64 kB"),
    ],
)
def test_what_is_no_yaml_or_too_much_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=message):
        load(path, "suite")


def test_a_missing_file_and_a_bad_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"no thresholds file 'none\.yaml', or it cannot be read"):
        load(tmp_path / "none.yaml", "thresholds file")
    with pytest.raises(BadInput, match="This is not valid YAML"):
        parse("a: [", "This")


SHIPPED = sorted(Path(__file__).parents[2].glob("[aw]*/**/*.yaml"))


def test_the_shipped_files_read_as_a_full_yaml_reader_reads_them() -> None:
    assert len(SHIPPED) > 20
    for path in SHIPPED:
        assert load(path, "file") == yaml.safe_load(path.read_text(encoding="utf-8")), path.name


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9999-99-99", "9999-99-99"),
        ("2021-03-01", "2021-03-01"),
        ("1:2:3", "1:2:3"),
        ("1:2.5", "1:2.5"),
        ("{<<: {b: 1}}", {"<<": {"b": 1}}),
        ("[" * 64 + "]" * 64, reduce(lambda inner, _: [inner], range(63), [])),
        (
            "[1_000, -0x1f, 0b11, 2.5e+3, .5, true, No, ~, 1.2.3]",
            [1000, -31, 3, 2500.0, 0.5, True, False, None, "1.2.3"],
        ),
    ],
)
def test_plain_values(text: str, value: object) -> None:
    assert parse(text, "This") == value


LAUGH = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: " + "9" * 60_000, "a whole number has at most 18 digits, line 1"),
        ("a: " + "9" * 200_000, "is longer than 64 kB"),
        ("a: !!int " + "1:" * 30_000 + "1", "the tag 'tag:yaml.org,2002:int' is not read"),
        ("a: !!timestamp 9999-99-99", "is not read"),
        (LAUGH, "it holds more than 50,000 values"),
        ("&a [*a]", "it holds more than 50,000 values"),
        ('"\\U00110000"', "is not valid YAML"),
        ('"\\ud800"', "is not text in UTF-8"),
        ("a: \x01", "special characters are not allowed"),
        ("[1]: 2", "found unhashable key"),
        ("[" * 65 + "]" * 65, "it has more than 64 lists or mappings within each other"),
        ("\n".join(" " * depth + "a:" for depth in range(66)), "it has more than 64 lists or mappings"),
    ],
)
def test_what_would_take_long_or_crash_is_a_sentence(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        parse(text, "This")


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "1:" * 31_000 + "1",
        "[" * 60_000,
        "[" + "1," * 31_000 + "]",
        "- " * 30_000,
        "\n" * 60_000,
        "{a: " * 15_000,
    ],
    ids=["base 60", "brackets", "numbers", "dashes", "empty lines", "mappings"],
)
def test_no_text_takes_long(text: str) -> None:
    begun = time.thread_time()
    with contextlib.suppress(BadInput):
        parse(text, "This")
    assert time.thread_time() - begun < 4  # a second of reading, on a slow machine; quadratic texts took minutes
