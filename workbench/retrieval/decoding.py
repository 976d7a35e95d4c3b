"""Decode a video with PyAV: frames at wanted times, upright and small, one at a time.

Times are the frames' own (`frame.time`), so that variable frame rates come out right. Nothing but the current frame is
in memory. Where a server has workers, one of them decodes, and no longer than the file's size is worth: neither what a
header says of a length, nor times far apart, make a small file a large one.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import BadInput, TooCostly
from workbench.worker import active
from workbench.worker.jobs import FRAMES, VIDEO_FACTS

if TYPE_CHECKING:
    from av.container import InputContainer
    from PIL import Image

    from workbench.scheduler import CancelScope

# FFmpeg knows formats that open further files or addresses (playlists): only these may be opened, from one local file
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,ogg,flv,gif,asf,h264,hevc,ivf,rawvideo"
SIDE = 448  # pixels of a frame's shorter side as it is handed on
MAX_SIDE = 8192  # pixels of a video's width or height
SECONDS, SECONDS_PER_MB = 10.0, 2.0  # of computing that a visitor's file may cost
SAMPLES, BYTES_PER_SAMPLE = 256, 512  # a visitor's file gives at most so many frames, and one more for so many bytes


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


def facts(path: Path | str, *, scope: CancelScope | None = None) -> VideoFacts:
    """Read a video's header.

    Raises:
        BadInput: no file, or no video that FFmpeg reads.
    """
    if (pool := active()) is not None:
        return pool.call(VIDEO_FACTS, {"path": str(path)}, read=lambda known, _: VideoFacts(**known), scope=scope)
    with _opened(Path(path)) as (container, stream):
        return _facts(container, stream)


def frames(
    path: Path | str, *, fps: float = 1.0, limit: int = 0, start: float = 0.0, scope: CancelScope | None = None
) -> Generator[Frame]:
    """Yield the frames that are shown at start, start + 1/fps, …; damaged parts are passed over.

    Args:
        path: a local file.
        fps: frames a second, above 0.
        limit: at most that many frames, spread over the whole video where its length is known (CLIP4Clip's uniform
            slicing, arXiv:2104.08860); 0 for no limit.
        start: seconds.
        scope: how long the caller waits for a worker.

    Raises:
        BadInput: no file, no video that FFmpeg reads, one whose first frame cannot be decoded, or fps not above 0.
        TooCostly: in a worker, a file that takes more time, or gives more frames, than its size is worth.
        Cancelled, DeadlinePassed: the scope is over.
    """
    if (pool := active()) is None:
        yield from _frames(Path(path), fps, limit, start=start)
        return
    from PIL import Image

    arguments = {"path": str(path), "fps": fps, "limit": limit, "start": start}
    job = replace(FRAMES, cpu=FRAMES.cpu + _seconds(Path(path)))
    with closing(pool.stream(job, arguments, scope=scope)) as answers:
        for (second, shown, size), pixels in answers:
            if size is not None:  # otherwise the frame before is still shown
                image = Image.frombytes("RGB", (size[0], size[1]), pixels)
            yield Frame(second, shown, image)


def _facts_job(data: bytes, *, path: str) -> Iterator[tuple[dict[str, Any], Iterable[bytes]]]:
    """Read a header in a worker."""
    yield asdict(facts(path)), ()


def _frames_job(
    data: bytes, *, path: str, fps: float, limit: int, start: float
) -> Iterator[tuple[tuple[float, float, tuple[int, int] | None], Iterable[bytes]]]:
    """Decode in a worker: the times of each frame and its size, with its pixels; no size where it is still shown."""
    before: Any = None
    for frame in _worth(_frames(Path(path), fps, limit, start=start), Path(path)):
        same = frame.image is before
        yield (frame.second, frame.shown, None if same else frame.image.size), () if same else [frame.image.tobytes()]
        before = frame.image


def _worth(sampled: Iterator[Frame], path: Path) -> Iterator[Frame]:
    """Hand on frames until their file has cost what its size is worth."""
    size, seconds = _size(path), _seconds(path)
    most = SAMPLES + size // BYTES_PER_SAMPLE
    begun, second = time.process_time(), 0.0
    for number, frame in enumerate(sampled):
        second = frame.second
        if number >= most or time.process_time() - begun > seconds:
            raise TooCostly(
                f"The video {path.name[:255]!r} was looked at for its first {second:.0f} s only: a file of "
                f"{size / 1e6:.2g} MB may take {seconds:.0f} s of computing and give {most:,} frames here."
            )
        yield frame


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _seconds(path: Path) -> float:
    """Return how long a visitor's file may be decoded."""
    return SECONDS + SECONDS_PER_MB * _size(path) / 1e6


def _frames(path: Path, fps: float, limit: int, *, start: float) -> Iterator[Frame]:
    if not fps > 0:
        raise BadInput(f"Frames per second are a number above 0; got {fps}.")
    with _opened(path) as (container, stream):
        known = _facts(container, stream)
        if limit and known.seconds * fps > limit:
            fps = limit / known.seconds
        if known.fps > 8 * fps:  # frames that no other needs are not decoded; at most two are left out in a row
            stream.codec_context.skip_frame = "NONREF"
        if start > 0 and stream.time_base:
            container.seek(int(start / float(stream.time_base)), stream=stream)
        aspect = float(stream.sample_aspect_ratio or 0) or 1.0  # of a pixel
        pictures = _decoded(container, stream, known.fps, name=path.name)
        before, image = None, None
        for number, (second, shown, picture) in enumerate(_sampled(pictures, fps, start, end=known.seconds)):
            image = image if image is not None and picture is before else _upright(picture, aspect)
            before = picture
            yield Frame(second, shown, image)
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
