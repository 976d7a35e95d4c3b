"""Connections before any request is read: how many, how many of one address, and how long a request's head may take.

Does not know about requests. Gradio starts uvicorn with fixed settings; `hardened` gives it this server instead.
"""

from __future__ import annotations

import asyncio
import importlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio.http_server
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from apps.limits import Limits

OPEN_FILES = 65_536  # wanted for connections and files together, where the system allows it
RESERVED = 200  # of them for files and pipes
CHECK_TICKS = 10  # of uvicorn's clock, a tenth of a second each
FULL = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Connections:
    """Counts open connections; used on the server's event loop only.

    Args:
        limits: the table.
        proxied: every connection is the proxy's, so that addresses are not counted here.
    """

    def __init__(self, limits: Limits, *, proxied: bool) -> None:
        self._limits = limits
        self._most = min(limits.connections, raise_open_files() - RESERVED)
        self._most_each = self._most if proxied else limits.connections_per_visitor
        self._of: dict[Any, str] = {}  # protocol -> address
        self._each: Counter[str] = Counter()
        self._heads: dict[Any, tuple[object, float]] = {}  # protocol -> its last request, since when it sends a head

    def opened(self, protocol: Any) -> None:
        """Count a new connection, or close it with status 503."""
        who = protocol.client[0] if protocol.client else ""
        if len(self._of) >= self._most or self._each[who] >= self._most_each:
            protocol.transport.write(FULL)
            protocol.transport.close()
            return
        self._of[protocol] = who
        self._each[who] += 1

    def closed(self, protocol: Any) -> None:
        """Forget a connection."""
        self._heads.pop(protocol, None)
        who = self._of.pop(protocol, None)
        if who is not None:
            self._each[who] -= 1
            if not self._each[who]:
                del self._each[who]

    def check(self, now: float) -> None:
        """Cut the connections that have been sending one request's head for too long."""
        for protocol in list(self._of):
            request = protocol.cycle
            if request is not None and not request.response_complete:
                self._heads.pop(protocol, None)
                continue
            before, since = self._heads.setdefault(protocol, (request, now))
            if before is not request:
                self._heads[protocol] = request, now
            elif now - since > self._limits.header_seconds:
                protocol.transport.abort()


@contextmanager
def hardened(connections: Connections) -> Iterator[None]:
    """Let gradio start a server that counts its connections and does not name itself."""

    class CountedProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            connections.opened(self)

        def connection_lost(self, exc: Exception | None) -> None:
            connections.closed(self)
            super().connection_lost(exc)

    class Server(plain):
        def __init__(self, config: Any, *args: Any, **more: Any) -> None:
            config.http, config.server_header = CountedProtocol, False
            super().__init__(config, *args, **more)

        async def on_tick(self, counter: int) -> bool:
            if counter % CHECK_TICKS == 0:
                connections.check(asyncio.get_running_loop().time())
            return bool(await super().on_tick(counter))

    gradio.http_server.Server = Server  # type: ignore[misc]
    try:
        yield
    finally:
        gradio.http_server.Server = plain  # type: ignore[misc]


plain = gradio.http_server.Server


def raise_open_files() -> int:
    """Raise this process's limit of open files as far as it may; return the limit."""
    try:
        resource = importlib.import_module("resource")
    except ImportError:  # no such limit on this system
        return OPEN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return OPEN_FILES if soft == resource.RLIM_INFINITY else soft
