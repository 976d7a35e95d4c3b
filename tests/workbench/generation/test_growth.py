"""The growth of an image as mp4: it opens, has the right size and order, and stays small."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from workbench.errors import BadInput
from workbench.generation.video import Growth, to_mp4


def test_a_video_shows_the_frames_in_order() -> None:
    frames = [np.full((33, 47, 3), shade, np.uint8) for shade in (10, 120, 240)]
    with av.open(io.BytesIO(to_mp4(frames))) as container:
        shades = [float(frame.to_ndarray(format="rgb24").mean()) for frame in container.decode(video=0)]
        size = container.streams.video[0].width, container.streams.video[0].height
    assert size == (46, 32)
    assert shades[:3] == pytest.approx([10, 120, 240], abs=6)
    assert len(shades) == 3 + 15
    with pytest.raises(BadInput):
        to_mp4([])


def test_frames_are_thinned_out_and_the_first_stays() -> None:
    growth = Growth(most=10)
    for number in range(1000):
        growth.add(np.full((2, 2, 3), number % 251, np.uint8))
    assert 5 <= len(growth.frames) <= 10
    assert growth.frames[0][0, 0, 0] == 0
