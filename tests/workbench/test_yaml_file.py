"""YAML files that people write: bounded, harmless, and refused with the name of what they should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import BadInput, UnknownName
from workbench.yaml_file import MAX_BYTES, load, parse


def test_what_stands_there_is_returned(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("title: ü\nrules: [1, 2]\n", encoding="utf-8")
    assert load(path, "suite") == {"title": "ü", "rules": [1, 2]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: [", "The suite 'a.yaml' cannot be read; it is no YAML"),
        (b"\xff\xfe\x00", "no YAML"),
        (b"x: !!python/object/apply:os.getcwd []", "no YAML"),
        (b"[" * 5000, "no YAML"),
        (b"a" * (MAX_BYTES + 1), "at most 1 MB"),
    ],
)
def test_what_is_no_yaml_or_too_much_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=said):
        load(path, "suite")


def test_a_missing_file_and_a_bad_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"no thresholds file 'none\.yaml', or it cannot be read"):
        load(tmp_path / "none.yaml", "thresholds file")
    with pytest.raises(BadInput, match="This cannot be read; it is no YAML"):
        parse("a: [", "This")
