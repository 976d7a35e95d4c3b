"""Videos in workers: equal frames, a cost by the file's size, and an end when the visitor stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from workbench.engine import Engine
from workbench.errors import BadInput, Cancelled, TooCostly
from workbench.retrieval import decoding
from workbench.retrieval.decoding import Frame, facts, frames
from workbench.retrieval.moments import VideoVectors, embed_video
from workbench.scheduler import CancelScope, CancelToken
from workbench.worker import supervised


@pytest.fixture
def workers() -> Iterator[None]:
    with supervised():
        yield


def video(path: Path, times: list[float], *, side: int = 64) -> Path:
    """Encode noise, one frame at each time."""
    generator = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        stream.width = stream.height = side
        stream.pix_fmt, stream.time_base = "yuv420p", Fraction(1, 1000)
        for second in times:
            pixels = generator.integers(0, 255, (side // 8, side // 8, 3), dtype=np.uint8)
            image: Any = Image.fromarray(pixels).resize((side, side))
            frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = round(second * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_frames_of_a_worker_are_those_of_this_process(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mkv", [0, 0.3, 0.4, 2.0, 2.1, 2.2])
    here, known = list(frames(path, fps=4)), facts(path)
    with supervised():
        there = list(frames(path, fps=4))
        assert facts(path) == known
        with pytest.raises(BadInput, match="There is no video file"):
            facts(tmp_path / "gone.mkv")
    assert [(one.second, one.shown, one.image.tobytes()) for one in there] == [
        (one.second, one.shown, one.image.tobytes()) for one in here
    ]
    assert len({id(one.image) for one in here}) == len({id(one.image) for one in there}) < len(here)


def test_a_stated_length_makes_no_small_file_a_large_one(workers: None, tmp_path: Path) -> None:
    path = video(tmp_path / "long.mkv", [0, 0.1, 555 * 3600.0])
    assert facts(path).seconds > 500 * 3600
    begun, shown = time.monotonic(), list[Frame]()
    with pytest.raises(TooCostly, match="looked at for its first"):
        shown.extend(frames(path, fps=1))
    assert (seen := len(shown)) == decoding.SAMPLES + path.stat().st_size // decoding.BYTES_PER_SAMPLE
    assert time.monotonic() - begun < 10
    with Engine(default="fake", device="cpu") as engine, engine.session("a", "fake") as session:
        found: list[VideoVectors] = []
        with pytest.raises(TooCostly):
            found.extend(one for one in embed_video(session, path, fps=1) if isinstance(one, VideoVectors))
    assert [len(one.seconds) for one in found] == [seen]


def test_computing_is_bounded_by_the_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = video(tmp_path / "slow.mkv", [n / 25 for n in range(200)])
    monkeypatch.setattr(decoding, "SECONDS", -1.0)
    with pytest.raises(TooCostly):
        list(decoding._worth(frames(path, fps=25), path))
    monkeypatch.setattr(decoding, "SECONDS", 60.0)
    assert len(list(decoding._worth(frames(path, fps=25), path))) == len(list(frames(path, fps=25)))


def test_decoding_ends_when_its_visitor_leaves(workers: None, tmp_path: Path) -> None:
    path = video(tmp_path / "large.mkv", [n / 25 for n in range(100)], side=320)
    list(frames(path, fps=1, limit=1))  # the worker is there
    token = CancelToken()
    threading.Timer(0.4, token.cancel).start()
    begun = time.monotonic()
    again = (frame for _ in range(400) for frame in frames(path, fps=0.1, scope=CancelScope(token)))
    with pytest.raises(Cancelled):
        list(again)
    assert time.monotonic() - begun < 2.4
