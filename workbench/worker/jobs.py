"""What workers do: a table of jobs, the lanes in which they wait, and the limits of each."""

from __future__ import annotations

import os
from dataclasses import dataclass

from workbench.errors import BadInput, BadPicture, WorkbenchError

_CORES = os.cpu_count() or 1
GB = 1_000_000_000


@dataclass(frozen=True)
class Lane:
    """Workers of one kind: a lane that is full keeps no other waiting."""

    name: str
    workers: int  # at most
    memory: int  # bytes of address space of one worker
    idle: int  # seconds without work after which a worker ends
    nice: int = 0  # how far its work stands back behind the server's
    fat: int = 300_000_000  # bytes held after a job, from which a worker makes room for a fresh one


IMAGE = Lane("image", max(2, min(8, _CORES)), 2 * GB, idle=3600)
LARGE_IMAGE = Lane("large image", 2, 3 * GB, idle=60)
VIDEO = Lane("video", 4, 4 * GB, idle=60, nice=5)
INDEX = Lane("index", 4, 5 * GB, idle=600, fat=900_000_000)  # LanceDB alone holds 200 MB, and reserves 2 GB
INDEX_WRITING = Lane("index writing", 4, 6 * GB, idle=60, nice=5, fat=900_000_000)


@dataclass(frozen=True)
class NativeJob:
    """One kind of work: a generator function of bytes and keyword arguments.

    It yields plain values, as JSON holds them, each with bytes in parts.
    """

    lane: Lane
    where: str  # module:function
    cpu: float  # seconds of computing, at most
    seconds: float  # ... and of waiting for it
    title: str  # what it does, for messages
    error: type[WorkbenchError]  # raised where the worker died of it


_IMAGES, _VIDEOS = "workbench.images", "workbench.retrieval.decoding"
DECODE = NativeJob(IMAGE, f"{_IMAGES}:_decode_job", 5.0, 30.0, "decoding an image", BadPicture)
DECODE_LARGE = NativeJob(LARGE_IMAGE, f"{_IMAGES}:_decode_job", 15.0, 90.0, "decoding a large image", BadPicture)
PREPARE = NativeJob(IMAGE, "workbench.prepared:prepare_job", 5.0, 30.0, "preparing an image", BadPicture)
PREPARE_LARGE = NativeJob(
    LARGE_IMAGE, "workbench.prepared:prepare_job", 15.0, 90.0, "preparing a large image", BadPicture
)
IMAGE_SIZE = NativeJob(IMAGE, f"{_IMAGES}:_size_job", 5.0, 30.0, "reading an image's size", BadPicture)
PNG_TEXT = NativeJob(IMAGE, f"{_IMAGES}:_png_text_job", 5.0, 30.0, "reading an image's text", BadPicture)
VIDEO_FACTS = NativeJob(VIDEO, f"{_VIDEOS}:_facts_job", 10.0, 60.0, "reading a video", BadInput)
FRAMES = NativeJob(VIDEO, f"{_VIDEOS}:_frames_job", 20.0, 3600.0, "decoding a video", BadInput)
_INDEXES = "workbench.retrieval.lance"  # the rest is the name of a function there
INDEX_READ = NativeJob(INDEX, _INDEXES, 30.0, 60.0, "reading an index", BadInput)
INDEX_WRITE = NativeJob(INDEX_WRITING, _INDEXES, 60.0, 120.0, "writing an index", BadInput)
INDEX_CARE = NativeJob(INDEX_WRITING, _INDEXES, 3600.0, 3600.0, "compacting an index", BadInput)
