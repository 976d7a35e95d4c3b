"""Attacks with videos whose few bytes stand for hours, or say so."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.attack.promises import Row, Size, at_once
from tests.attack.server import Server
from tests.attack.visitor import Visitor, Watch


def long_video(*, hours: float, stated: float = 0.0) -> bytes:
    """A video of 16 x 16 pixels, 25 frames a second, about 12 bytes each.

    Args:
        hours: of frames.
        stated: hours that the last frame's time says, where that is more.
    """
    import av
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.mkv"
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "g": "6000"})
            stream.width = stream.height = 16
            stream.pix_fmt = "yuv420p"
            many = round(hours * 3600 * 25)
            for number in range(many):
                if number % 1000 == 0:
                    frame: Any = av.VideoFrame.from_ndarray(
                        np.full((24, 16), number // 1000 % 255, np.uint8), "yuv420p"
                    )
                frame.pts = number if number < many - 1 else max(number, round(stated * 3600 * 25))
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path.read_bytes()


def videos(server: Server, size: Size) -> Iterator[Row]:
    """Four visitors with four hours of 16 x 16 pixels each, and a file of a few bytes that states 555 hours."""
    for name, content in (
        ("4 h of 16 x 16 pixels", long_video(hours=4)),
        ("555 h by its own word", long_video(hours=0.01, stated=555)),
    ):
        ended: list[float] = []

        def ask(number: int, content: bytes = content, ended: list[float] = ended) -> str:
            visitor, begun = Visitor(server, 2 + number % 2), time.monotonic()
            event = visitor.event_of("video-file", generator=True)
            given = {"video-file": [visitor.upload(f"{number}.mkv", content)], "video-query": "a cat"}
            outcome, words = visitor.ask(event, visitor.data(event, given), seconds=120)
            ended.append(time.monotonic() - begun)
            return f"{outcome} {words}".strip()

        before = server.memory()
        with Watch(server) as watch:
            outcomes = at_once(4, ask)
        figure = f"{len(content) / 1e6:.1f} MB, {max(ended):.0f} s; {watch}; {server.memory() - before:.0f} MB more"
        kept = (
            watch.within(size.median, size.worst)
            and max(ended) < 120
            and not any("late" in str(one) for one in outcomes)
        )
        yield Row(f"four videos, {name}", "each ends; others wait no longer", figure, kept)
