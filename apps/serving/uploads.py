"""The folder of uploads: how much lies in it, and what a broken upload left there.

Knows no request. Age is gradio's business (`delete_cache`); this looks after size and after fragments, which gradio's
parser leaves behind when a sender goes away in the middle.
"""

from __future__ import annotations

import asyncio
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from apps.serving.refusal import Refused

FRESH_SECONDS = 5.0  # how long a measurement of the folder is believed


class Uploads:
    """Used on the server's event loop only."""

    def __init__(self, folder: Path, quota: int) -> None:
        self._folder = folder
        self._quota = quota
        self._open = 0
        self._measured = (0, -FRESH_SECONDS)  # bytes, when

    @asynccontextmanager
    async def one(self, announced: int) -> AsyncIterator[None]:
        """Let one upload through.

        Args:
            announced: bytes that the sender says it will send.

        Raises:
            Refused: 507 where the folder is full.
        """
        if await self._size() + announced > self._quota:
            raise Refused(507, "The server keeps no more uploads now; old ones are deleted within the hour.")
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            if not self._open:  # nobody is writing: what has a temporary name has no owner
                await asyncio.to_thread(_sweep, self._folder)

    async def _size(self) -> int:
        size, when = self._measured
        if time.monotonic() - when > FRESH_SECONDS:
            size = await asyncio.to_thread(_bytes_in, self._folder)
            self._measured = (size, time.monotonic())
        return size


def _bytes_in(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            found = file.lstat()
        except FileNotFoundError:  # deleted meanwhile
            continue
        total += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return total


def _sweep(folder: Path) -> None:
    for fragment in folder.glob("tmp*"):
        if fragment.is_file():
            fragment.unlink(missing_ok=True)
