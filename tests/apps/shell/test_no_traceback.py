"""Paths that cannot be written, addresses, damaged indexes: a sentence and an exit code, never a traceback."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from apps.shell import run


def asked(line: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = run(line)
    err = capsys.readouterr().err
    assert "Traceback" not in err
    return code, err


@pytest.mark.parametrize(
    "line", [["prior-export", "/proc/x"], ["space-export", "/proc/x"], ["index", "add", "s3://bucket/x", "PHOTO"]]
)
def test_places_that_cannot_be_used(line: list[str], photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [str(photos / "chelsea.png") if word == "PHOTO" else word for word in line]
    code, err = asked(given, capsys)
    assert code == 2
    assert "clip-workbench: " in err


def test_a_file_as_home(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path / "file"))
    code, _ = asked(["index", "add", "few", str(photos / "chelsea.png"), "--model", "fake"], capsys)
    assert code in (2, 9)


def test_a_full_disk_is_exit_9(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "index.html")

    monkeypatch.setattr("apps.space_export.export", full)
    code, err = asked(["space-export", str(tmp_path / "space")], capsys)
    assert code == 9
    assert "No space left" in err


def test_nothing_embedded_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.png").write_bytes(b"no image")
    out = tmp_path / "n.parquet"
    code, _ = asked(["embed", str(tmp_path / "bad.png"), "--out", str(out), "--model", "fake"], capsys)
    assert code == 3
    code, _ = asked(["embed", str(tmp_path / "nope"), "--out", str(out), "--model", "fake"], capsys)
    assert code in (2, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.png"]


def test_runs_need_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs").touch()
    line = ["audit", "run", "limits/counting", "--model", "fake", "--out", str(tmp_path / "runs")]
    code, err = asked(line, capsys)
    assert code == 2
    assert "is a file" in err


@pytest.mark.parametrize("part", ["data", "_versions"])
def test_a_damaged_index_is_found(
    part: str, tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLIP_WORKBENCH_HOME", str(tmp_path))
    names = [str(photos / name) for name in ("chelsea.png", "rocket.jpg", "coffee.png", "astronaut.png")]
    assert run(["index", "add", "few", *names, "--model", "fake"]) == 0
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name == part)
    assert files
    for file in files:
        content = bytearray(file.read_bytes())
        noise = bytes((7 * at + 13) % 251 for at in range(min(4096, len(content))))
        content[: len(noise)] = noise
        file.write_bytes(content)
    code, err = asked(["index", "search", "few", "a cat", "--json"], capsys)
    assert code == 6, err
    assert "index is damaged" in err
