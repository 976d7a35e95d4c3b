"""A request that is not answered: its status, and one friendly sentence as small JSON, without a path of this machine.

`routes`, `origins`, `bodies`, `uploads`, `logins` and `visitors` raise it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

LINGER_SECONDS = 1.0  # how long a refused sender may go on before the line is cut
LINGER_BYTES = 30_000_000  # ... and how much it may send meanwhile


class Refused(Exception):
    """A request that is answered with a status from 400 on."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


async def answer(send: Send, status: int, body: dict[str, Any], *, close: bool = False) -> None:
    """Send small JSON; with `close` the end is left open for `linger`."""
    raw = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(raw)).encode())]
    headers.append((b"cache-control", b"no-store"))
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": raw, "more_body": close})


async def linger(receive: Receive, send: Send) -> None:
    """Throw away what still arrives for a moment, so that the sender reads the answer instead of a broken line."""
    thrown_away = 0
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while thrown_away < LINGER_BYTES:
                message = await receive()
                thrown_away += len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    break
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b""})
