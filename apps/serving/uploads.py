"""The folder of uploads: how much lies in it, whose it is, and what a broken upload left there.

Does not know about requests. Age is gradio's business (`delete_cache`) and `housekeeping`'s; this looks after size and
after fragments, which gradio's parser leaves behind when a sender goes away in the middle: each upload deletes its own.
"""

from __future__ import annotations

import asyncio
import stat
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import SimpleNamespace
from typing import Any

from apps.limits import Limits
from apps.serving.refusal import Refused

FRESH_SECONDS = 5.0  # how long a measurement of the folder is believed
MERGED_SECONDS = 60.0  # uploads of one address within that time are kept as one number
REMEMBERED = 10_000  # addresses; the oldest are forgotten
_FILES: ContextVar[list[Any]] = ContextVar("temporary files of the upload that this task receives")
FULL = "The server keeps no more uploads now; old ones are deleted within the hour."


class Uploads:
    """Reserves room for each upload while it arrives; used on the server's event loop only.

    Args:
        folder: where gradio keeps uploads and results.
        limits: the table.
        clock: seconds.
    """

    def __init__(self, folder: Path, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._limits = limits
        self._clock = clock
        self._open: list[_Upload] = []
        self._past: OrderedDict[str, deque[tuple[float, int]]] = OrderedDict()  # address -> when, bytes
        self._measured = (0, -FRESH_SECONDS)  # bytes, when
        self._arrived = 0  # bytes of the uploads that ended since then

    @asynccontextmanager
    async def one(self, who: str, announced: int) -> AsyncIterator[Callable[[int], None]]:
        """Let one upload through; yields what is called with the number of bytes of each piece.

        Args:
            who: the address.
            announced: bytes that the sender says it will send; 0 where it does not say.

        Raises:
            Refused: 507 where the folder is full, or this address has its share; at a later piece, too.
        """
        await self._measure()
        upload = _Upload(who, announced)
        _FILES.set(upload.files)
        self._open.append(upload)
        try:
            self._check(who)

            def came(size: int) -> None:
                upload.came += size
                self._check(who)

            yield came
            self._arrived += upload.came
        finally:
            self._open.remove(upload)
            self._charge(upload)
            if upload.files:
                await asyncio.to_thread(_delete, upload.files)

    def _charge(self, upload: _Upload) -> None:
        """Remember what an address sent, whatever became of it."""
        past = self._past.setdefault(upload.who, deque())
        when, size = past.pop() if past and self._clock() - past[-1][0] < MERGED_SECONDS else (self._clock(), 0)
        past.append((when, size + upload.came))
        self._past.move_to_end(upload.who)
        while len(self._past) > REMEMBERED:
            self._past.popitem(last=False)

    def _check(self, who: str) -> None:
        size, _ = self._measured
        if size + self._arrived + sum(upload.size for upload in self._open) > self._limits.quota_bytes:
            raise Refused(507, FULL)
        past = self._past.get(who, deque())
        while past and self._clock() - past[0][0] > self._limits.keep_seconds:
            past.popleft()
        own = sum(size for _, size in past) + sum(upload.size for upload in self._open if upload.who == who)
        if own > self._limits.quota_per_visitor:
            most = self._limits.quota_per_visitor // 10**6
            raise Refused(507, f"The server keeps {most} MB of one visitor; old uploads are deleted within the hour.")

    async def _measure(self) -> None:
        if self._clock() - self._measured[1] > FRESH_SECONDS:
            self._measured = (self._measured[0], self._clock())  # one measurement at a time
            before = self._arrived
            size = await asyncio.to_thread(_bytes_in, self._folder)
            self._measured = (size, self._clock())
            self._arrived -= before


class _Upload:
    """One upload on its way."""

    def __init__(self, who: str, announced: int) -> None:
        self.who = who
        self.announced = announced
        self.came = 0
        self.files: list[Any] = []  # temporary ones, as they were opened

    @property
    def size(self) -> int:
        return max(self.announced, self.came)


def _bytes_in(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            entry = file.lstat()
        except FileNotFoundError:  # deleted meanwhile
            continue
        total += entry.st_size if stat.S_ISREG(entry.st_mode) else 0
    return total


def _delete(files: list[Any]) -> None:
    for file in files:
        file.close()
        Path(file.name).unlink(missing_ok=True)  # what was stored has another name by now


def temporary_file(**options: Any) -> Any:
    """Make a temporary file and note that it belongs to the upload that this task receives."""
    file = NamedTemporaryFile(**options)  # noqa: SIM115 (whoever asked closes it)
    if (files := _FILES.get(None)) is not None:
        files.append(file)
    return file


def own_fragments() -> None:
    """Let gradio's parser make its temporary files here from now on, and its boxes of files make no empty ones."""
    import gradio.components.download_button
    import gradio.components.file
    import gradio.route_utils

    gradio.route_utils.NamedTemporaryFile = temporary_file  # type: ignore[attr-defined, assignment]
    for boxes in (gradio.components.file, gradio.components.download_button):
        boxes.tempfile = SimpleNamespace(NamedTemporaryFile=lambda **options: SimpleNamespace())  # type: ignore[attr-defined]
