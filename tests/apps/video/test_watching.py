"""What the video view computes: several videos for one sentence, other sentences without embedding again, a stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from apps.video import sentences, words
from apps.video.answering import GIVEN, AskedMoments, RankedVideos, answers
from apps.video.watched import Watched
from tests.workbench.retrieval.made_videos import write_video
from workbench.engine import Engine
from workbench.errors import BadInput
from workbench.scheduler import CancelToken


@pytest.fixture(scope="module")
def colours() -> Iterator[Engine]:
    with Engine(default="fake", device="cpu", dtype="float32") as opened:
        yield opened


def films(folder: Path) -> tuple[str, ...]:
    for name, shown in {"one": ("red", "green"), "two": ("blue", "yellow")}.items():
        write_video(folder / f"{name}.mp4", [(Image.new("RGB", (64, 48), colour), 2.0) for colour in shown])
    return str(folder / "one.mp4"), str(folder / "two.mp4")


def answer(engine: Engine, request: AskedMoments, before: Watched, token: CancelToken | None = None) -> list[object]:
    work = answers(engine, request, before, visitor="test", token=token or CancelToken(), seconds=60)
    return list(work)


def test_several_videos_and_further_sentences(colours: Engine, tmp_path: Path) -> None:
    request = AskedMoments(GIVEN, films(tmp_path), "a blue picture", 1.0, 64, "max", "fake")
    request.check()
    *reading, last = answer(colours, request, Watched())
    assert isinstance(last, RankedVideos)
    assert len(reading) >= 2
    assert [Path(hit.path).name for hit in last.hits] == ["two.mp4", "one.mp4"]
    assert words.ranking(last.hits)[0][0] == "two.mp4"
    assert "videos fit" in words.verdict(last.hits, last.watched.shown, "blue")
    (again,) = answer(colours, replace(request, query="a green picture"), last.watched)  # nothing is embedded again
    assert isinstance(again, RankedVideos)
    assert Path(again.hits[0].path).name == "one.mp4"
    assert len(answer(colours, replace(request, fps=2.0), last.watched)) > 1  # other frames are
    with colours.session("test", "fake") as session:
        video = last.watched.shown[str(tmp_path / "two.mp4")]
        texts = ("a red picture", "a yellow picture")
        assert sentences.fitting(session, video, texts, pooling="max")[0][0] == "a yellow picture"


def test_a_file_that_is_no_video_is_passed_over(colours: Engine, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"nothing" * 100)
    broken = str(tmp_path / "broken.mp4")
    request = AskedMoments(GIVEN, (broken, films(tmp_path)[1]), "a blue picture", 1.0, 64, "max", "fake")
    *_, last = answer(colours, request, Watched())
    assert isinstance(last, RankedVideos)
    assert [Path(hit.path).name for hit in last.hits] == ["two.mp4"]
    message = words.failed(last.watched.failed)
    assert message.startswith(" Not looked at in full: The file")
    assert "cannot be read as a video" in message
    with pytest.raises(BadInput, match="cannot be read as a video"):
        answer(colours, replace(request, paths=(broken,)), Watched())


def test_after_a_stop_what_is_done_is_answered_from(colours: Engine, tmp_path: Path) -> None:
    request = AskedMoments(GIVEN, films(tmp_path), "a red picture", 4.0, 4096, "mean", "fake")
    token = CancelToken()
    work = answers(colours, request, Watched(), visitor="test", token=token, seconds=60)
    for step in work:
        if "video 2" in getattr(step, "line", ""):  # the first video is embedded
            break
    token.cancel()
    (last,) = work
    assert isinstance(last, RankedVideos)
    assert [Path(hit.path).name for hit in last.hits] == ["one.mp4"]
    assert [Path(path).name for path in last.watched.videos] == ["one.mp4"]


@pytest.mark.parametrize(
    ("paths", "query", "message"),
    [((), "dog", "Choose a video"), (("x",) * 21, "dog", "At most"), (("x",), "", "Type")],
)
def test_bad_questions_are_refused_at_once(paths: tuple[str, ...], query: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        AskedMoments(GIVEN, paths, query, 1.0, 64, "mean", "pocket").check()
