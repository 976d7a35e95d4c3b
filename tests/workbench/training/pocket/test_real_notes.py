"""Photos of things with notes: what a planted model answers is counted, and what cannot be asked is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.errors import BadInput
from workbench.training.pocket.quality import real_notes

OTHERS = {f"a photo of a {name}.": 3 for name in real_notes.OTHERS}
SHADES = OTHERS | {"a photo of a cup.": 0, "a photo of a lamp.": 1, "a photo of a pen.": 2, "a photo of a iPod.": 3}


class Shaded:
    """Names an image by how bright it is: each text has its own shade of grey."""

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        return torch.eye(4)[[SHADES[text] for text in texts]]

    def embed_images(self, pictures: Sequence[Path]) -> torch.Tensor:
        return torch.eye(4)[[int(np.asarray(Image.open(picture)).mean()) // 64 for picture in pictures]]


def folder(place: Path, rows: Sequence[tuple[str, str, int]], head: str = "file,thing,word") -> Path:
    """Photos, each of one shade, and their table."""
    lines = [head]
    for number, (thing, word, shade) in enumerate(rows):
        Image.new("RGB", (40, 30), (64 * shade + 20,) * 3).save(place / f"{number}.png")
        lines.append(f"{number}.png,{thing},{word}")
    (place / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    return place


def test_blank_notes_are_named_among_all_things_and_words_ask_two_ways(tmp_path: Path) -> None:
    rows = [("cup", "", 0), ("lamp", "", 1), ("pen", "", 0)]  # two of three
    rows += [("cup", "iPod", 3), ("lamp", "iPod", 1), ("pen", "cup", 0), ("pen", "iPod", 0)]  # two of four
    named, beaten, *each = real_notes.real_notes(Shaded(), real_notes.read(folder(tmp_path, rows)))  # type: ignore[arg-type]
    assert (named.share.value, named.share.n, named.how) == (2 / 3, 3, "9-way")
    assert (beaten.share.value, beaten.share.n) == (0.5, 4)  # a picture that is neither is no success
    assert [(one.question.split()[-1], one.share.value, one.share.n) for one in each] == [
        ("cup", 1, 1),
        ("lamp", 0, 1),
        ("pen", 0.5, 2),
    ]


def test_a_bare_thing_is_told_from_things_that_are_not_there(tmp_path: Path) -> None:
    rows = [("cup", "", 3), ("lamp", "", 1), ("pen", "", 2)]  # the first looks like a backpack
    (named,) = real_notes.real_notes(Shaded(), real_notes.read(folder(tmp_path, rows)))  # type: ignore[arg-type]
    assert named.share.value == pytest.approx(2 / 3)
    assert len(real_notes.OTHERS) >= real_notes.CHOICES


def test_a_photo_from_farther_away_lies_amid_its_own_colours(tmp_path: Path) -> None:
    picture = Image.new("RGB", (80, 40), (200, 0, 0))
    picture.paste((0, 0, 200), (40, 0, 80, 40))
    seen = np.asarray(real_notes.farther(picture, 0.5)).astype(int)
    assert seen.shape == (40, 80, 3)
    assert seen[20, 21].tolist() == [200, 0, 0]  # its left edge, at a quarter
    assert seen[20, 58].tolist() == [0, 0, 200]
    across = seen[2, :, 0]  # above it: from red to blue, with no edge
    assert across[0] > 150 > 50 > across[-1]
    assert abs(np.diff(across)).max() < 20
    assert (np.asarray(real_notes.farther(picture, 1)) == np.asarray(picture)).all()
    assert real_notes.farther(picture.resize((2, 1)), 0.2).size == (2, 1)
    for wrong in (0.1, 1.2, float("nan")):
        with pytest.raises(BadInput, match=r"0\.2 to 1 of its side; got"):
            real_notes.farther(picture, wrong)


def test_shrunk_photos_are_asked_the_same(tmp_path: Path) -> None:
    photos = real_notes.read(folder(tmp_path, [("cup", "", 0), ("lamp", "", 1), ("pen", "iPod", 2)]))
    Image.open(photos[2].file).resize((80, 60)).save(photos[2].file)
    sizes: list[tuple[int, int]] = []

    class Sized(Shaded):
        def embed_images(self, pictures: Sequence[Image.Image]) -> torch.Tensor:  # type: ignore[override]
            sizes.extend(picture.size for picture in pictures)
            return torch.eye(4)[[int(np.asarray(picture).mean()) // 64 for picture in pictures]]

    answers = list(real_notes.real_notes(Sized(), photos, shrunk=0.5))  # type: ignore[arg-type]
    assert [one.share.value for one in answers] == [1, 0, 0]  # one shade shrunk is that shade
    assert sizes == [(40, 30), (40, 30), (80, 60)]


@pytest.mark.parametrize(("word", "question"), [("", "bare"), ("iPod", "beats")])
def test_only_what_there_are_photos_for_is_answered(tmp_path: Path, word: str, question: str) -> None:
    photos = real_notes.read(folder(tmp_path, [("cup", word, 0), ("lamp", word, 1)]))
    answer, *_ = real_notes.real_notes(Shaded(), photos)  # type: ignore[arg-type]
    assert question in answer.question


@pytest.mark.parametrize(
    ("rows", "head", "message"),
    [
        ([("cup", "", 0), ("lamp", "", 1)], "file,thing", r"missing: word"),
        ([("cup", "", 0), ("cup", "iPod", 1)], "file,thing,word", r"at least two"),
        ([], "file,thing,word", r"at least two"),
        ([("cup", "Cup", 0), ("lamp", "", 1)], "file,thing,word", r"'0\.png' has 'Cup' for both"),
        ([("", "iPod", 0), ("lamp", "", 1)], "file,thing,word", r"no thing for the photo '0\.png'"),
    ],
)
def test_a_table_that_says_too_little_is_refused(
    tmp_path: Path, rows: list[tuple[str, str, int]], head: str, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        real_notes.read(folder(tmp_path, rows, head))


def test_a_photo_that_is_not_there_and_a_table_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"labels\.csv \(file, thing, word"):
        real_notes.read(tmp_path)
    (folder(tmp_path, [("cup", "", 0), ("lamp", "", 1)]) / "1.png").unlink()
    with pytest.raises(BadInput, match=r"'1\.png', which does not exist"):
        real_notes.read(tmp_path)
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="can be read"):
        real_notes.read(tmp_path)


def test_the_command_writes_a_table_or_says_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder(tmp_path, [("red", "", 0), ("blue", "red", 3)])
    monkeypatch.setattr("sys.argv", ["real_notes", "fake", str(place), "--out", str(tmp_path / "said.md")])
    real_notes.main()
    assert len((tmp_path / "said.md").read_text(encoding="utf-8").splitlines()) == 5
    assert [row["n"] for row in json.loads((tmp_path / "said.json").read_text(encoding="utf-8"))] == [1, 1, 1]
    monkeypatch.setattr("sys.argv", ["real_notes", "fake", str(tmp_path / "nowhere"), "--out", str(tmp_path / "n.md")])
    with pytest.raises(SystemExit) as left:
        real_notes.main()
    assert left.value.code == 2
    assert "labels.csv" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["real_notes", "fake", str(place), "--out", str(place / "labels.csv" / "n.md")])
    with pytest.raises(SystemExit):
        real_notes.main()
    assert "'n.md' could not be written" in capsys.readouterr().err
