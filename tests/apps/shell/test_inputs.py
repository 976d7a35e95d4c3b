"""What the commands are given: files, folders, patterns, labels and templates."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.shell._inputs import read_labels, read_templates
from workbench.cli.output import printable
from workbench.errors import BadInput
from workbench.image_inputs import image_files
from workbench.prompts import DEFAULT, template_set


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a/2.png", "a/1.JPG", "a/b/3.webp", "a/notes.txt", "a/.hidden.png", "a/.git/4.png", "odd[1].png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_folders_come_in_the_order_of_their_names_whatever_the_disk_says(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "a" / "a").mkdir()
    (tree / "a" / "a" / "0.png").touch()
    real = os.scandir

    class Backwards:
        def __init__(self, path: str) -> None:
            with real(path) as entries:
                self._entries = iter(sorted(entries, key=lambda entry: entry.name, reverse=True))

        def __iter__(self) -> Iterator[os.DirEntry[str]]:
            return self._entries

        def __next__(self) -> os.DirEntry[str]:
            return next(self._entries)

        def __enter__(self) -> Backwards:
            return self

        def __exit__(self, *error: object) -> None: ...

        def close(self) -> None: ...

    monkeypatch.setattr(os, "scandir", Backwards)
    assert image_files(["a"]) == ["a/1.JPG", "a/2.png", "a/a/0.png", "a/b/3.webp"]


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("given", "paths"),
    [
        (["a"], ["a/1.JPG", "a/2.png", "a/b/3.webp"]),
        (["a/*.png"], ["a/2.png"]),
        (["a/**/*.webp"], ["a/b/3.webp"]),
        (["a/2.png", "a"], ["a/2.png", "a/1.JPG", "a/b/3.webp"]),
        (["odd[1].png"], ["odd[1].png"]),  # a name that looks like a pattern, and exists
        (["gone.png", "a/notes.txt"], ["gone.png", "a/notes.txt"]),  # reported with the results
    ],
)
def test_files_folders_and_patterns(given: list[str], paths: list[str]) -> None:
    assert image_files(given) == paths


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("given", ["*.jpeg", "empty", "https://example.org/cat.png"])
def test_what_names_no_picture_is_refused(given: str) -> None:
    Path("empty").mkdir()
    with pytest.raises(BadInput):
        image_files([given])


def test_labels_are_one_row_or_one_a_line(tmp_path: Path) -> None:
    assert read_labels('cat, dog,"a, b"', None) == ("cat", "dog", "a, b")
    file = tmp_path / "labels.txt"
    file.write_bytes("\ufeffcat, striped\n\nKäse\n".encode())
    assert read_labels(None, file) == ("cat, striped", "Käse")


def test_labels_from_nowhere_or_from_what_is_no_text_are_refused(tmp_path: Path) -> None:
    binary = tmp_path / "labels.bin"
    binary.write_bytes(b"\xff\xfe\x00")
    for row, file in ((None, None), ("cat", binary), (None, binary), (None, tmp_path / "gone"), (" , ", None)):
        with pytest.raises(BadInput):
            read_labels(row, file)


def test_templates_are_sets_texts_and_files_in_the_order_given(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("a sketch of a {}.\n")
    assert read_templates([]) == (DEFAULT,)
    assert read_templates(["a {}!", str(file), "none"]) == ("a {}!", "a sketch of a {}.", "{}")
    assert read_templates(["seven"]) == template_set("seven").templates
    assert len(read_templates(["eighty"])) == 80
    with pytest.raises(BadInput, match="seven"):
        read_templates(["sevn"])


def test_a_file_name_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[31m\rb ä 猫") == "a\\x1b[31m\\rb ä 猫"
