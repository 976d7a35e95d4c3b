"""Adding on Ray Data: two workers make the rows of one process, of images and of videos; moved files are known."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from tests.workbench.retrieval.made_videos import write_video
from workbench.engine import Session
from workbench.retrieval import index, ray_adding
from workbench.retrieval.adding import AddOptions, add

ROOT = Path(__file__).parents[3]
COLUMNS = ("path", "sha256", "size", "second", "width", "height", "label", "thumbnail", "vector")


@pytest.fixture(scope="module")
def ray_here() -> Iterator[None]:
    ray = pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        yield
        ray.shutdown()


def rows(name: str) -> list[dict[str, Any]]:
    table = index.find_table(name).table
    return sorted((line for batch in table.scan(COLUMNS) for line in batch.to_pylist()), key=lambda one: one["path"])


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_two_workers_make_the_rows_of_one_process(
    session: Session, pictures: Path, run: Callable[[Any], Any], ray_here: None
) -> None:
    run(add("spread", session, [str(pictures / "red")]))
    shutil.move(pictures / "red", pictures / "crimson")
    (pictures / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    report = run(add("spread", session, [str(pictures)], options=AddOptions(ray_workers=2)))
    assert (report.added, report.reused, len(report.failed), report.removed) == (24, 8, 1, 8)
    run(add("local", session, [str(pictures)]))
    assert rows("spread") == rows("local")


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_frames_of_videos_on_two_workers(
    session: Session,
    tmp_path: Path,
    home: Path,
    run: Callable[[Any], Any],
    ray_here: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    for name, seconds in (("long", 70.0), ("short", 3.0), ("old", 2.0)):
        colours = [name == "long", name == "short", name == "old"]
        clips = [(Image.new("RGB", (64, 48), tuple(200 * one for one in colours)), seconds / 2),  # type: ignore[arg-type]
                 (Image.new("RGB", (64, 48), "yellow"), seconds / 2)]  # fmt: skip
        write_video(films / f"{name}.mp4", clips, fps=4)
    shutil.copy(films / "short.mp4", films / "copy.mp4")
    shutil.move(films / "old.mp4", tmp_path / "old.mp4")
    run(add("spread", session, [str(tmp_path / "old.mp4")]))
    shutil.move(tmp_path / "old.mp4", films / "moved.mp4")
    (films / "broken.mp4").write_bytes(b"nothing" * 100)
    with monkeypatch.context() as here:  # frames in this process would be no test of the workers
        here.setattr("workbench.retrieval.adding.frame_rows", None)
        report = run(add("spread", session, [str(films)], options=AddOptions(ray_workers=2)))
    assert (report.added, report.reused, report.unchanged, len(report.failed)) == (73, 5, 0, 1)
    assert "cannot be read as a video" in report.failed[0][1]
    run(add("local", session, [str(films)]))
    frames = [row for row in rows("spread") if row["path"].startswith(str(films))]
    assert frames == rows("local")
    assert [row["size"] for row in frames if "long" in row["path"]].count(-1) == 69
    again = run(add("spread", session, [str(films)], options=AddOptions(ray_workers=2)))
    assert (again.added, again.reused, again.unchanged, len(again.failed)) == (0, 0, 4, 1)


def test_a_video_counts_as_complete_when_all_its_groups_came(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups may come in any order: a row that says "complete" before its others would lose them after a kill."""
    group = {0: "first", 1: "second", 2: "last"}
    row = {name: SimpleNamespace(size=9 if name == "last" else -1, name=name) for name in group.values()}
    came = [(0, number, [(row[group[number]], None)], "") for number in (2, 0, 1)]
    monkeypatch.setattr(ray_adding, "_results", lambda *_, **__: iter([*came, (1, 0, [], "broken")]))
    results = list(ray_adding.embed_videos_on_ray(["long", "bad"], None, workers=1))  # type: ignore[list-item, arg-type]
    assert [(task, [one.name for one, _ in rows], error) for task, rows, error in results] == [
        ("long", ["first"], ""),
        ("long", ["second"], ""),
        ("long", ["last"], ""),
        ("bad", [], "broken"),
    ]
