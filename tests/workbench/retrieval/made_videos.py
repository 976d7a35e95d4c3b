"""Videos with known contents: still clips one after the other, at constant or variable frame rate."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageOps

Clip = tuple[Image.Image, float]  # what is shown, for how many seconds


def clip_frames(clips: Sequence[Clip], times: Sequence[float], size: tuple[int, int]) -> list[Image.Image]:
    """Return the picture that is shown at each time."""
    ends = np.cumsum([seconds for _, seconds in clips])
    fitted = [ImageOps.fit(image, size) for image, _ in clips]
    return [fitted[min(int(np.searchsorted(ends, time, side="right")), len(clips) - 1)] for time in times]


def write_video(
    path: Path, clips: Sequence[Clip], *, fps: float = 10.0, variable: bool = False, **options: Any
) -> Path:
    """Encode clips.

    Args:
        path: the suffix chooses the container.
        clips: in order.
        fps: frames a second; of a variable rate, the highest.
        variable: whether frames come at irregular times.
        options: codec, pixels (format), size, rotation (degrees), audio, bars (B-frames).
    """
    size, total = options.get("size", (320, 240)), sum(seconds for _, seconds in clips)
    steps = np.full(int(total * fps), 1 / fps)
    if variable:
        steps *= np.random.default_rng(0).integers(1, 5, len(steps))
    times = [time for time in np.concatenate(([0], np.cumsum(steps)[:-1])) if time < total - 1e-9]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(options.get("codec", "libx264"), rate=Fraction(fps).limit_denominator(1000))
        stream.width, stream.height = size
        stream.pix_fmt = options.get("pixels", "yuv420p")
        stream.time_base = Fraction(1, 12800)
        if options.get("rotation"):
            stream.set_display_rotation(options["rotation"])
        for time, image in zip(times, clip_frames(clips, times, size), strict=True):
            frame = av.VideoFrame.from_image(image).reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = round(time * 12800), Fraction(1, 12800)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
