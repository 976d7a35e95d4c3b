"""One sentence over many videos: scores by hand, moments within each, and an index of real files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.workbench.retrieval.made_videos import write_video
from workbench.engine import Session
from workbench.errors import BadInput, UnknownName
from workbench.retrieval import index
from workbench.retrieval.adding import add
from workbench.retrieval.decoding import VideoFacts
from workbench.retrieval.moment_truth import measure_moments, read_moments
from workbench.retrieval.moments import VideoVectors
from workbench.retrieval.query import parse_query
from workbench.retrieval.videos import rank_videos, search_videos


def video(*frames: list[float]) -> VideoVectors:
    vectors = np.array(frames, np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return VideoVectors(np.arange(len(frames), dtype=float), vectors, 1.0, VideoFacts(0, 8, 8, 1, "made"))


def test_order_and_null_by_hand() -> None:
    """A video shows it once, another a little all the time: mean and maximum disagree."""
    once = video([1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0])
    always = video([1, 0, 1.2], [1, 0, 1.2], [1, 0, 1.2], [1, 0, 1.2])
    query = np.array([1, 0, 0], np.float32)
    stock = np.eye(3, dtype=np.float32)[[1, 2]]
    videos = {"once": once, "always": always}
    by_mean, by_best = rank_videos(videos, query, stock), rank_videos(videos, query, stock, pooling="max")
    assert [hit.path for hit in by_mean] == ["always", "once"]
    assert [hit.path for hit in by_best] == ["once", "always"]
    assert by_best[0].score == 1.0
    assert by_mean[1].score == pytest.approx(1 / np.sqrt(10))
    assert (by_best[0].beats, by_best[1].beats) == (0.5, 0.0)
    # maximum over frames of the two stock sentences on "once": 1 and 0; mean 0.5, deviation 0.5
    assert by_best[0].deviation == pytest.approx(1.0)
    assert by_best[0].chance == pytest.approx(2 / 3)
    with pytest.raises(UnknownName):
        rank_videos(videos, query, stock, pooling="median")
    assert rank_videos({}, query, stock) == []


def test_known_moments_of_an_index_are_measured(
    session: Session, tmp_path: Path, home: Path, run: Callable[[Any], Any]
) -> None:
    for name, colours in {"one": ("red", "green"), "two": ("blue", "yellow")}.items():
        write_video(tmp_path / f"{name}.mp4", [(Image.new("RGB", (64, 48), colour), 3.0) for colour in colours])
    run(add("known", session, [str(tmp_path)]))
    table = tmp_path / "moments.csv"
    lines = ["one,a green picture,3,6", "two.mp4,a blue picture,0,3", "two,a yellow picture,0,2.9", "gone,x,0,1"]
    table.write_text("\n".join(["video_id,sentence,start,end", *lines]), encoding="utf-8")
    queries = read_moments(table)
    result = measure_moments(session, index.find_table("known"), queries, folder=str(tmp_path))
    assert (result.queries, result.videos, result.missing) == (3, 2, ("gone",))
    # green and blue are found to half a second; the third row claims the wrong half of its video
    assert {share: one.value for share, one in result.first.items()} == {0.3: 2 / 3, 0.5: 2 / 3, 0.7: 2 / 3}
    precision = result.precision
    assert precision.low is not None
    assert precision.high is not None
    assert precision.low <= (precision.value or 0) <= precision.high
    with pytest.raises(BadInput, match="names a video"):
        measure_moments(session, index.find_table("known"), queries[-1:])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("video_id,sentence,start\nx,y,1\n", "columns"),
        ("path,caption,start,end\nx,y,1,one\n", "seconds"),
        ("path,caption,start,end\nx,y,3,2\n", "after the start"),
        ("path,caption,start,end\n", "no row"),
    ],
)
def test_a_table_that_holds_no_moments_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "m.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=reason):
        read_moments(tmp_path / "m.csv")


def test_rows_of_one_sentence_are_its_moments(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path,caption,start,end\nx,y,1,2\nx,y,4,5.5\nx,z,0,1\n", encoding="utf-8")
    assert [(one.sentence, one.spans) for one in read_moments(tmp_path / "m.csv")] == [
        ("y", ((1.0, 2.0), (4.0, 5.5))),
        ("z", ((0.0, 1.0),)),
    ]


def test_an_index_of_videos(session: Session, tmp_path: Path, home: Path, run: Callable[[Any], Any]) -> None:
    for name, colours in {"one": ("red", "green"), "two": ("blue", "blue"), "three": ("yellow", "blue")}.items():
        write_video(tmp_path / f"{name}.mp4", [(Image.new("RGB", (64, 48), colour), 3.0) for colour in colours])
    Image.new("RGB", (64, 48), "green").save(tmp_path / "image.png")
    run(add("films", session, [str(tmp_path)]))
    hits = search_videos(session, index.find_table("films"), parse_query("a green picture"), pooling="max")
    assert Path(hits[0].path).name == "one.mp4"
    assert len(hits) == 3
    moment = hits[0].moments[0]
    assert moment.start == pytest.approx(2.5, abs=0.51)
    assert moment.end == pytest.approx(6.0, abs=0.51)
