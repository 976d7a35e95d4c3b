"""What arrives in the body of a request: counted byte by byte, in time, and looked at before anything acts on it.

Does not know about routes and visitors. An announced length is believed only where it is too large.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import orjson

from apps.limits import Limits
from apps.serving.refusal import Message, Receive, Refused

WEB = re.compile(r"^\s*([a-z][a-z0-9+.-]*:)?[/\\]{2}|^\s*(data|file|javascript|https?):", re.IGNORECASE)


def check_announced(headers: Mapping[str, str], most: int) -> None:
    """Refuse an announced length over `most` before one byte is read.

    Raises:
        Refused: 413, or 400 where the length is no number.
    """
    announced = headers.get("content-length", "0")
    if not (announced.isascii() and announced.isdecimal()):
        raise Refused(400, "The length of the request is not a number.")
    if int(announced) > most:
        raise too_large(most)


def too_large(most: int) -> Refused:
    """Return the refusal of a body over `most` bytes."""
    return Refused(413, f"This is larger than {most / 1e6:g} MB, the most that is accepted here.")


class Counted:
    """The receiving side of a request that gives up at too many bytes, a long pause or a late end."""

    def __init__(self, receive: Receive, *, most: int, idle: float, whole: float) -> None:
        self._receive = receive
        self._most = most
        self._idle = idle
        self._end = asyncio.get_running_loop().time() + whole
        self._got = 0
        self.finished = False  # the whole body was seen

    async def __call__(self) -> Message:
        """Return the next piece.

        Raises:
            Refused: 413 or 408.
        """
        if self.finished:
            return await self._receive()  # waits for the end of the connection
        left = self._end - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(self._idle, max(left, 0))):
                message = await self._receive()
        except TimeoutError:
            raise Refused(408, "The request arrived too slowly.") from None
        self._got += len(message.get("body", b""))
        if self._got > self._most:
            raise too_large(self._most)
        self.finished = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def whole(self) -> bytes | None:
        """Return the body in one piece; None where the sender went away."""
        pieces = []
        while not self.finished:
            message = await self()
            if message["type"] == "http.disconnect":
                return None
            pieces.append(message.get("body", b""))
        return b"".join(pieces)


def read_json(raw: bytes, limits: Limits) -> dict[str, Any]:
    """Read a JSON object and look through it.

    Raises:
        Refused: 400 for what is no plain JSON object (NaN, infinity, half characters, NUL, too deep, too many
            values), 403 for a file that is a web address.
    """
    if raw.count(b",") + raw.count(b"[") + raw.count(b"{") > limits.json_values:
        raise Refused(413, f"Requests may hold {limits.json_values} values at most.")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Refused(400, "The body is not JSON. NaN and infinity are not allowed, and text is UTF-8.") from None
    if not isinstance(value, dict):
        raise Refused(400, "The body is not a JSON object.")
    _look_through(value, limits)
    return value


def _look_through(content: dict[str, Any], limits: Limits) -> None:
    level: list[Any] = [content]
    for _ in range(limits.json_depth):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                path = value.get("path")
                if isinstance(path, str) and WEB.match(path):
                    raise Refused(403, "Upload the file; this server fetches nothing from an address.")
                below += value.values()
            elif isinstance(value, list):
                below += value
            elif isinstance(value, str) and "\0" in value:
                raise Refused(400, "Text may not hold the NUL character.")
        level = below
        if not level:
            return
    raise Refused(400, f"The body is nested more than {limits.json_depth} levels deep.")
