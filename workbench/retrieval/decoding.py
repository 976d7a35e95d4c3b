"""Decode a video with PyAV: frames at wanted times, upright and small, one at a time.

Times are the frames' own (`frame.time`), so that variable frame rates come out right. Nothing but the current frame is
in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import BadInput

if TYPE_CHECKING:
    from av.container import InputContainer
    from PIL import Image

# FFmpeg knows formats that open further files or addresses (playlists): only these may be opened, from one local file
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,ogg,flv,gif,asf,h264,hevc,ivf,rawvideo"
SIDE = 448  # pixels of a frame's shorter side as it is handed on
MAX_SIDE = 8192  # pixels of a video's width or height


@dataclass(frozen=True)
class Frame:
    """What is shown at a time of a video."""

    second: float  # the wanted time
    shown: float  # when this frame first appears, at or before `second`
    image: Image.Image  # upright RGB


@dataclass(frozen=True)
class VideoFacts:
    """What a video's header states; it may be wrong. Width and height are those before a rotation."""

    seconds: float  # 0 where not stated
    width: int
    height: int
    fps: float  # on average; 0 where not stated
    codec: str


def facts(path: Path | str) -> VideoFacts:
    """Read a video's header.

    Raises:
        BadInput: no file, or no video that FFmpeg reads.
    """
    with _opened(Path(path)) as (container, stream):
        return _facts(container, stream)


def frames(path: Path | str, *, fps: float = 1.0, limit: int = 0, start: float = 0.0) -> Iterator[Frame]:
    """Yield the frames that are shown at start, start + 1/fps, …; damaged parts are passed over.

    Args:
        path: a local file.
        fps: frames a second, above 0.
        limit: at most that many frames, spread over the whole video where its length is known (CLIP4Clip's uniform
            slicing, arXiv:2104.08860); 0 for no limit.
        start: seconds.

    Raises:
        BadInput: no file, no video that FFmpeg reads, one whose first frame cannot be decoded, or fps not above 0.
    """
    if not fps > 0:
        raise BadInput(f"Frames per second are a number above 0; got {fps}.")
    with _opened(Path(path)) as (container, stream):
        known = _facts(container, stream)
        if limit and known.seconds * fps > limit:
            fps = limit / known.seconds
        if known.fps > 8 * fps:  # frames that no other needs are not decoded; at most two are left out in a row
            stream.codec_context.skip_frame = "NONREF"
        if start > 0 and stream.time_base:
            container.seek(int(start / float(stream.time_base)), stream=stream)
        aspect = float(stream.sample_aspect_ratio or 0) or 1.0  # of a pixel
        pictures = _decoded(container, stream, known.fps, name=Path(path).name)
        for number, (second, shown, picture) in enumerate(_sampled(pictures, fps, start, end=known.seconds)):
            yield Frame(second, shown, _upright(picture, aspect))
            if limit and number + 1 >= limit:
                return


def _sampled(
    decoded: Iterator[tuple[float, Any]], fps: float, start: float, *, end: float
) -> Iterator[tuple[float, float, Any]]:
    """Pick from (time, frame) pairs the frame that is shown at each wanted time: that time, its own, the frame."""
    number, gap = 0, 0.0
    before: tuple[float, Any] | None = None
    for second, frame in decoded:
        while before is not None and start + number / fps < second - 1e-6:
            yield start + number / fps, *before
            number += 1
        gap = second - before[0] if before is not None else 0.0
        before = (second, frame)
    end = min(end or float("inf"), before[0] + gap / 2) if before is not None else 0.0
    while before is not None and (start + number / fps < end - 1e-3 or number == 0):  # the last one, while it is shown
        yield start + number / fps, *before
        number += 1


def _decoded(container: InputContainer, stream: Any, fps: float, *, name: str) -> Iterator[tuple[float, Any]]:
    """Yield frames with rising times, counted from the video's first; stop where the file breaks off."""
    import av

    first: float | None = None
    last, number = -1.0, 0
    origin = float(stream.start_time * stream.time_base) if stream.start_time and stream.time_base else 0.0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                break
            pictures = packet.decode()
        except av.error.InvalidDataError:  # one damaged packet
            continue
        except (av.error.FFmpegError, EOFError, OSError):  # the file ends in the middle
            break
        for picture in pictures:
            second = picture.time if picture.time is not None else number / (fps or 25.0) + origin
            number += 1
            if second - origin <= last:
                continue
            last = second - origin
            first = last if first is None else first
            yield last, picture
    if first is None:
        raise BadInput(f"No frame of the video {name!r} can be decoded; it is damaged, or its codec is not known here.")


def _upright(picture: Any, aspect: float) -> Image.Image:
    """Return a decoded frame as a small upright RGB image with square pixels."""
    width, height = picture.width * aspect, picture.height
    scale = min(1.0, SIDE / min(width, height))
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    image: Image.Image = picture.reformat(*shape, format="rgb24", interpolation="AREA").to_image()
    turn = picture.rotation % 360
    return image.rotate(turn, expand=True) if turn else image


def _facts(container: InputContainer, stream: Any) -> VideoFacts:
    import av

    rate = stream.average_rate
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container.duration or 0) / av.time_base
    codec = stream.codec_context
    return VideoFacts(seconds, codec.width, codec.height, float(rate) if rate else 0.0, codec.name)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, Any]]:
    import av
    from av.stream import Disposition

    if not path.is_file():
        raise BadInput(f"There is no video file {path.name[:255]!r}.")
    options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
    try:
        container = av.open(str(path), options=options)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", "") or str(error)
        raise BadInput(f"The file {path.name[:255]!r} cannot be read as a video ({reason[:120]}).") from None
    with container:
        if not container.streams.video:
            raise BadInput(f"The file {path.name[:255]!r} holds no video stream.")
        moving = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
        stream = (moving or container.streams.video)[0]
        if max(stream.codec_context.width, stream.codec_context.height) > MAX_SIDE:
            raise BadInput(f"Videos may have at most {MAX_SIDE} pixels a side; {path.name[:255]!r} has more.")
        stream.thread_type = "AUTO"
        yield container, stream
