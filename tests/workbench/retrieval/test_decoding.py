"""Frames of videos of many kinds, against the pictures that were encoded at known times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.workbench.retrieval.made_videos import write_video
from workbench.errors import BadInput
from workbench.retrieval.decoding import facts, frames

COLOURS = [(220, 20, 20), (20, 160, 20), (20, 20, 220), (240, 220, 20)]
LENGTHS = [1.3, 0.9, 2.2, 1.6]
CLIPS = [(Image.new("RGB", (8, 8), colour), seconds) for colour, seconds in zip(COLOURS, LENGTHS, strict=True)]
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "h264": ("x.mp4", {}),
    "h264 in matroska": ("x.mkv", {}),
    "h264 in a stream": ("x.ts", {}),
    "quicktime": ("x.mov", {}),
    "hevc": ("x.mp4", {"codec": "libx265"}),
    "10 bit": ("x.mp4", {"codec": "libx265", "pixels": "yuv420p10le"}),
    "vp9": ("x.webm", {"codec": "libvpx-vp9"}),
    "vp8": ("x.webm", {"codec": "libvpx"}),
    "mpeg4": ("x.avi", {"codec": "mpeg4"}),
    "motion jpeg": ("x.avi", {"codec": "mjpeg", "pixels": "yuvj420p"}),
    "no subsampling": ("x.mp4", {"pixels": "yuv444p"}),
    "upright": ("x.mp4", {"size": (120, 212)}),
    "tiny": ("x.mp4", {"size": (16, 16)}),
    "25 a second": ("x.mp4", {"fps": 25.0}),
    "film": ("x.mp4", {"fps": 23.976}),
    "60 a second": ("x.mp4", {"fps": 60.0}),
    "slow": ("x.mp4", {"fps": 5.0}),
    "variable": ("x.mp4", {"fps": 20.0, "variable": True}),
    "variable in matroska": ("x.mkv", {"fps": 20.0, "variable": True}),
    "rotated": ("x.mp4", {"rotation": 90, "size": (212, 120)}),
}


def expected(second: float) -> tuple[int, int, int]:
    return COLOURS[min(int(np.searchsorted(np.cumsum(LENGTHS), second, side="right")), 3)]


def colour(image: Image.Image) -> np.ndarray:
    return np.asarray(image, float).mean(axis=(0, 1))


@pytest.mark.parametrize("kind", KINDS)
def test_frames_are_those_at_the_wanted_times(kind: str, tmp_path: Path) -> None:
    name, options = KINDS[kind]
    path = write_video(tmp_path / name, CLIPS, **options)
    result = list(frames(path, fps=4))
    assert abs(len(result) - 24) <= 1
    changes = np.cumsum(LENGTHS)[:-1]
    for number, frame in enumerate(result):
        assert frame.second == pytest.approx(number / 4)
        assert frame.shown <= frame.second + 1e-6
        if np.abs(changes - frame.second).min() > 0.25:  # a slow or variable rate changes up to a frame later
            assert np.abs(colour(frame.image) - expected(frame.second)).max() < 40, frame.second
    shape = (120, 212) if kind in ("upright", "rotated") else options.get("size", (320, 240))
    assert result[0].image.size == shape


def test_a_rotated_video_is_turned_as_players_turn_it(tmp_path: Path) -> None:
    """The display matrix says how far to turn the stored picture counter-clockwise."""
    half = Image.new("RGB", (64, 32), (240, 220, 20))
    half.paste((20, 20, 220), (0, 0, 32, 32))
    path = write_video(tmp_path / "x.mp4", [(half, 1.0)], size=(64, 32), rotation=90)
    (frame,) = list(frames(path, fps=1))
    turned = half.rotate(90, expand=True)
    assert frame.image.size == turned.size
    difference = np.abs(np.asarray(frame.image, float) - np.asarray(turned, float)).mean()
    assert difference < 20


def test_a_limit_spreads_frames_over_the_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "x.mp4", CLIPS)
    assert [frame.second for frame in frames(path, fps=10, limit=4)] == pytest.approx([0, 1.5, 3, 4.5])
    assert [frame.second for frame in frames(path, fps=2, start=3.0)][:2] == pytest.approx([3.0, 3.5])
    assert facts(path).seconds == pytest.approx(6.0, abs=0.11)


def test_a_truncated_video_gives_what_is_there(tmp_path: Path) -> None:
    path = write_video(tmp_path / "x.mkv", CLIPS)
    short = tmp_path / "short.mkv"
    short.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    result = list(frames(short, fps=4))
    assert 4 <= len(result) < 24
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2 : len(damaged) // 2 + 40] = bytes(40)
    (tmp_path / "damaged.mkv").write_bytes(damaged)
    assert len(list(frames(tmp_path / "damaged.mkv", fps=4))) >= 4


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    (tmp_path / "ffconcat.mp4").write_text("ffconcat version 1.0\nfile /etc/passwd\n")
    for name in ("text.mp4", "list.m3u8", "list.mp4", "ffconcat.mp4", "missing.mp4"):
        with pytest.raises(BadInput):
            list(frames(tmp_path / name))
    with pytest.raises(BadInput, match="above 0"):
        list(frames(write_video(tmp_path / "x.mp4", CLIPS[:1]), fps=0))
