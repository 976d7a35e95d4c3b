"""The growth of an image as a video: H.264 in an mp4, through PyAV."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAMES = 240  # that are kept of one image; every second one goes when there are more
RATE = 15  # frames a second
_HOLD = 15  # frames that the last image stays


class Growth:
    """Frames of one image, thinned out by half whenever there are too many."""

    def __init__(self, most: int = FRAMES) -> None:
        self._most, self._every, self._seen = most, 1, 0
        self.frames: list[NDArray[np.uint8]] = []

    def add(self, frame: NDArray[np.uint8]) -> None:
        """Keep a frame (h, w, 3), or not."""
        if self._seen % self._every == 0:
            self.frames.append(frame)
        self._seen += 1
        if len(self.frames) > self._most:
            self.frames, self._every = self.frames[::2], 2 * self._every


def to_mp4(frames: Sequence[NDArray[np.uint8]]) -> bytes:
    """Encode frames, all (h, w, 3) of one size; the last one stays for a second.

    Raises:
        BadInput: no frame.
    """
    import av

    if not frames:
        raise BadInput("A video needs at least one frame; there is none yet.")
    height, width = (side - side % 2 for side in frames[-1].shape[:2])  # H.264 wants even sides
    file = io.BytesIO()
    with av.open(file, mode="w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        same = [frame for frame in frames if frame.shape == frames[-1].shape]
        for frame in [*same, *[frames[-1]] * _HOLD]:
            pixels = np.ascontiguousarray(frame[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()
