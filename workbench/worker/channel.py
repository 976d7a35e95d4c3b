"""Messages between the server and a worker: JSON through a pipe, and bytes beside it in memory that both share.

A worker that a hostile file took over can send wrong values, and no more: nothing that it sends is unpickled.
"""

from __future__ import annotations

import json
import mmap
import os
import select
import struct
from collections.abc import Iterable, Mapping
from typing import Any

MAX_MESSAGE = 32_000_000  # bytes of JSON
KEPT = 64_000_000  # bytes of shared memory that stay for the next message
_LENGTHS = struct.Struct("!IQ")  # of the JSON and of the bytes beside it


class Closed(Exception):
    """The other side has ended."""


class Channel:
    """One end of a connection.

    Args:
        reading: file descriptor.
        writing: file descriptor.
        shared: file descriptor of the shared memory; one message's bytes are in it at a time.
    """

    def __init__(self, reading: int, writing: int, shared: int) -> None:
        self._reading, self._writing, self._shared = reading, writing, shared

    def send(self, message: Mapping[str, Any], parts: Iterable[bytes] = ()) -> None:
        """Send a message with bytes, in parts; the other side is done with those of the message before.

        Raises:
            Closed: nobody is there.
        """
        length = 0
        for part in parts:
            view, end = memoryview(part), length + len(part)
            while length < end:
                length += os.pwrite(self._shared, view[length - end :], length)
        if os.fstat(self._shared).st_size > max(KEPT, length):
            os.ftruncate(self._shared, length)
        text = json.dumps(message).encode()
        view, at = memoryview(_LENGTHS.pack(len(text), length) + text), 0
        try:
            while at < len(view):
                at += os.write(self._writing, view[at:])
        except OSError:
            raise Closed from None

    def receive(self) -> tuple[dict[str, Any], memoryview]:
        """Wait for a message; return it with its bytes, which hold until the other side sends the next one.

        Raises:
            Closed: the other side has ended, or sent what is no message.
        """
        text_length, length = _LENGTHS.unpack(self._read(_LENGTHS.size))
        if text_length > MAX_MESSAGE or length > os.fstat(self._shared).st_size:
            raise Closed
        try:
            message = json.loads(self._read(text_length))
        except ValueError:
            raise Closed from None
        if not isinstance(message, dict):
            raise Closed
        return message, memoryview(mmap.mmap(self._shared, length, prot=mmap.PROT_READ) if length else b"")

    def wait(self, seconds: float) -> bool:
        """Wait for a message, or the end of the other side; return whether there is something to receive."""
        poll = select.poll()
        poll.register(self._reading, select.POLLIN)
        return bool(poll.poll(1000 * seconds))

    def _read(self, length: int) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            try:
                part = os.read(self._reading, min(1 << 20, length - len(parts)))
            except OSError:
                part = b""
            if not part:
                raise Closed
            parts += part
        return bytes(parts)
