"""Adding: what is embedded, what is taken over, what goes; and what an interruption leaves."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.workbench.retrieval.made_videos import write_video
from workbench.engine import Engine, Session
from workbench.errors import BadInput, Busy, Cancelled, UnknownName
from workbench.retrieval import index, location
from workbench.retrieval.adding import AddReport, add

ROOT = Path(__file__).parents[3]
Run = Callable[[Any], AddReport]


def contents(name: str) -> dict[str, dict[str, Any]]:
    """Return all rows by path; a path that is there twice is a failure."""
    opened = index.find_table(name)
    rows = [line for batch in opened.table.scan(opened.table.schema.names) for line in batch.to_pylist()]
    result = {row["path"]: row for row in rows}
    assert len(result) == len(rows)
    return result


def counts(report: AddReport) -> tuple[int, int, int, int, int]:
    return report.added, report.reused, report.unchanged, report.removed, len(report.failed)


def test_rows_hold_what_the_files_are(session: Session, pictures: Path, run: Run) -> None:
    report = run(add("mine", session, [str(pictures)]))
    assert counts(report) == (32, 0, 0, 0, 0)
    rows = contents("mine")
    path = str(pictures / "red" / "3.png")
    row = rows[path]
    assert (row["width"], row["height"], row["label"], row["size"]) == (60, 40, "red", os.path.getsize(path))
    np.testing.assert_allclose(row["vector"], session.embed_images([path]).numpy()[0], atol=1e-6)
    assert row["thumbnail"].startswith(b"\xff\xd8")


def test_only_what_is_new_or_changed_is_embedded(session: Session, pictures: Path, run: Run) -> None:
    run(add("mine", session, [str(pictures)]))
    Image.new("RGB", (30, 30), (20, 20, 220)).save(pictures / "red" / "0.png")
    Image.new("RGB", (31, 31), (20, 20, 220)).save(pictures / "blue" / "new.png")
    (pictures / "green" / "7.png").unlink()
    assert counts(run(add("mine", session, [str(pictures)]))) == (2, 0, 30, 1, 0)
    rows = contents("mine")
    assert len(rows) == 32
    changed = rows[str(pictures / "red" / "0.png")]
    assert changed["width"] == 30
    np.testing.assert_allclose(changed["vector"], session.embed_images([changed["path"]]).numpy()[0], atol=1e-6)


def test_moved_and_copied_files_are_not_embedded_again(session: Session, pictures: Path, run: Run) -> None:
    run(add("mine", session, [str(pictures)]))
    before = contents("mine")
    shutil.move(pictures / "red", pictures / "crimson")
    shutil.copy(pictures / "blue" / "1.png", pictures / "blue" / "copy.png")
    assert counts(run(add("mine", session, [str(pictures)]))) == (0, 9, 24, 8, 0)
    rows = contents("mine")
    assert len(rows) == 33
    moved, old = rows[str(pictures / "crimson" / "2.png")], before[str(pictures / "red" / "2.png")]
    assert moved["label"] == "crimson"
    for column in ("vector", "thumbnail", "width", "height", "sha256"):
        assert moved[column] == old[column]


def test_equal_files_are_embedded_once(session: Session, tmp_path: Path, home: Path, run: Run) -> None:
    folder = tmp_path / "same"
    folder.mkdir()
    for number in range(5):
        Image.new("RGB", (9, 9), (220, 20, 20)).save(folder / f"{number}.png")
    assert counts(run(add("mine", session, [str(folder)])))[:2] == (1, 4)
    assert len(contents("mine")) == 5


def test_hidden_broken_and_other_files(session: Session, pictures: Path, run: Run) -> None:
    Image.new("RGB", (9, 9)).save(pictures / ".hidden.png")
    (pictures / ".cache").mkdir()
    Image.new("RGB", (9, 9)).save(pictures / ".cache" / "x.png")
    (pictures / "notes.txt").write_text("no image")
    (pictures / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (pictures / "broken.mp4").write_bytes(b"nothing" * 100)
    report = run(add("mine", session, [str(pictures)]))
    assert counts(report)[0] == 32
    assert sorted(Path(path).name for path, _ in report.failed) == ["broken.mp4", "broken.png"]
    assert len(contents("mine")) == 32


def test_a_zip_and_a_csv(session: Session, pictures: Path, tmp_path: Path, run: Run) -> None:
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        archive.write(pictures / "red" / "0.png", "cat/0.png")
    (tmp_path / "list.csv").write_text(
        "file,label,caption,camera\npictures/blue/0.png,sea,deep water,X1\npictures/blue/missing.png,sea,,\n"
    )
    report = run(add("mine", session, [str(tmp_path / "some.zip"), str(tmp_path / "list.csv")]))
    assert counts(report) == (2, 0, 0, 0, 1)
    rows = contents("mine")
    assert rows[str(tmp_path / "some.zip" / "cat" / "0.png")]["label"] == "cat"
    sea = rows[str(pictures / "blue" / "0.png")]
    assert (sea["label"], sea["caption"], sea["tags"]) == ("sea", "deep water", ["camera=X1"])
    assert counts(run(add("mine", session, [str(tmp_path / "some.zip")]))) == (0, 0, 1, 0, 0)


def test_two_models_never_mix(session: Session, pictures: Path, run: Run, pocket: object) -> None:
    run(add("mine", session, [str(pictures / "red")]))
    with Engine(device="cpu", dtype="float32") as engine, engine.session("test") as other:
        with pytest.raises(BadInput, match="never mixed"):
            index.find_table("mine", fingerprint=other.fingerprint)
        run(add("mine", other, [str(pictures / "blue")]))
        assert index.find_table("mine").model == "pocket"
        assert index.find_table("mine", model="fake").rows == 8
        assert index.find_table("mine", fingerprint=other.fingerprint).dim == other.dim
    assert sorted(one.model for one in index.tables("mine")) == ["fake", "pocket"]


def test_a_stop_keeps_what_is_done(session: Session, pictures: Path, run: Run) -> None:
    request = iter([False] * 20)
    with pytest.raises(Cancelled):
        run(add("mine", session, [str(pictures)], stopped=lambda: next(request, True)))
    report = run(add("mine", session, [str(pictures)]))
    assert report.added + report.unchanged == 32
    assert len(contents("mine")) == 32


def test_one_writer_at_a_time(session: Session, pictures: Path) -> None:
    with location.writing("mine"), pytest.raises(Busy):
        next(add("mine", session, [str(pictures)]))


def test_names_and_removal(session: Session, pictures: Path, run: Run) -> None:
    for name in ("", "../x y", "a" * 65, "s p"):
        with pytest.raises((BadInput, UnknownName)):
            index.find_table(name)
    run(add("mine", session, [str(pictures)]))
    assert location.names() == ["mine"]
    assert index.tables("mine")[0].summary()["rows"] == 32
    index.remove("mine")
    assert location.names() == []
    with pytest.raises(UnknownName):
        index.remove("mine")


@pytest.mark.parametrize("paths", [[], ["/no/such/place"], ["s3://bucket/x"]])
def test_nothing_to_add_is_refused(session: Session, home: Path, paths: list[str]) -> None:
    with pytest.raises(BadInput):
        next(add("mine", session, paths))


NURSERY = """
import os, sys
from workbench.engine import Engine
from workbench.retrieval import writer
from workbench.retrieval.adding import add
import torch
writer.WRITE_ROWS = 16
for _ in sys.stdin:  # one child for each line; forked before anything has threads
    if os.fork() == 0:
        with Engine(default="fake", device="cpu", dtype="float32") as engine, engine.session("test") as session:
            for at, _ in enumerate(add("mine", session, [sys.argv[1]])):
                if at == 0:
                    print(os.getpid(), flush=True)
        os._exit(0)
    os.wait()
    print("gone", flush=True)
"""


@pytest.mark.heavy
def test_killed_at_ten_random_moments(session: Session, tmp_path: Path, home: Path, run: Run) -> None:
    folder, noise, rng = tmp_path / "many", np.random.default_rng(0), random.Random(1)
    folder.mkdir()
    for number in range(800):
        Image.fromarray(noise.integers(0, 255, (50, 50, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    grown = []
    with subprocess.Popen([sys.executable, "-c", NURSERY, str(folder)], env=environment, **pipes) as nursery:
        for _ in range(10):
            nursery.stdin.write("go\n")
            if (line := nursery.stdout.readline()) == "gone\n":
                break  # a quick machine has added everything by now: the child had nothing to report
            time.sleep(rng.uniform(0, 0.15))
            with suppress(ProcessLookupError):
                os.kill(int(line), signal.SIGKILL)
            assert nursery.stdout.readline() == "gone\n"
            grown.append(len(contents("mine")))
        nursery.stdin.close()
    assert grown == sorted(grown)
    assert 0 < grown[-1] <= 800
    assert grown[0] < 800, "the first child was killed on its way"
    report = run(add("mine", session, [str(folder)]))
    assert report.unchanged == grown[-1]
    rows = contents("mine")
    assert sorted(rows) == sorted(str(path) for path in folder.iterdir())
    paths = sorted(rows)[::100]
    np.testing.assert_allclose([rows[path]["vector"] for path in paths], session.embed_images(paths).numpy(), atol=1e-6)


def test_a_moved_video_is_not_embedded_again(session: Session, tmp_path: Path, home: Path, run: Run) -> None:
    films = tmp_path / "films"
    films.mkdir()
    write_video(
        films / "one.mp4", [(Image.new("RGB", (64, 48), "red"), 2.0), (Image.new("RGB", (64, 48), "blue"), 2.0)]
    )
    assert counts(run(add("mine", session, [str(films)]))) == (4, 0, 0, 0, 0)
    before = contents("mine")
    shutil.move(films / "one.mp4", films / "two.mp4")
    shutil.copy(films / "two.mp4", films / "three.mp4")
    assert counts(run(add("mine", session, [str(films)]))) == (0, 8, 0, 4, 0)
    rows = contents("mine")
    assert sorted(rows) == [f"{films}/{name}.mp4#t={second}" for name in ("three", "two") for second in range(4)]
    for second in range(4):
        moved, old = rows[f"{films}/two.mp4#t={second}"], before[f"{films}/one.mp4#t={second}"]
        for column in ("vector", "thumbnail", "second", "width", "sha256", "size"):
            assert moved[column] == old[column]
    assert counts(run(add("mine", session, [str(films)]))) == (0, 0, 2, 0, 0)
    write_video(films / "two.mp4", [(Image.new("RGB", (64, 48), "green"), 2.0)])  # other bytes: embedded
    assert counts(run(add("mine", session, [str(films)]))) == (2, 0, 1, 0, 0)
