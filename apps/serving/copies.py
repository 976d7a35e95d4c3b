"""Answers that are the same for every visitor: made once, compressed once, then sent as they are.

Gradio builds and compresses its page and its scripts anew for each request, up to 0.2 s of computing. What differs
between visitors is the address under which they reach the server, and who is logged in. Does not know about limits:
whoever asks pays before anything is made.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

import brotli
import orjson
from gradio.route_utils import get_root_url
from gradio.routes import toorjson
from starlette.requests import Request

from apps.serving.refusal import Message, Send
from apps.serving.routes import API

if TYPE_CHECKING:
    from gradio.routes import App

PAGES = ("/", "/config", f"{API}/info")
FILES = re.compile(r"/(assets|static|svelte)/[^?]+\.(js|css|json|svg|html|txt|map)|(/gradio_api)?/theme\.css")
KEPT_BYTES = 48_000_000  # of all copies together; the longest unused go first
BYTES_OF_READING = 50_000  # compressed in the time that one reading of a kept answer takes
PIECE = 65_536  # bytes sent at once, so that a slow reader holds no more
HOST = "address-of-this-server.invalid"  # stands for the address in what all addresses share
GZIP_LEVEL, BROTLI_QUALITY = 6, 5
API_INFO = re.compile(rb"(?<=window\.gradio_api_info = ).*?(?=;</script>)", re.DOTALL)


@dataclass(frozen=True)
class Copy:
    """An answer with status 200, or what gradio said instead."""

    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    status: int = 200

    async def send(self, send: Send, scope: MutableMapping[str, Any]) -> None:
        """Send it, or 304 where the visitor has it."""
        headers = dict(scope["headers"])
        tag = dict(self.headers).get(b"etag")
        known = tag is not None and tag in re.split(rb"\s*,\s*", headers.get(b"if-none-match", b""))
        body = b"" if known or scope["method"] == "HEAD" else self.body
        length = () if known else ((b"content-length", str(len(self.body)).encode()),)
        status = 304 if known else self.status
        await send({"type": "http.response.start", "status": status, "headers": [*self.headers, *length]})
        for start in range(0, len(body), PIECE):
            await send({"type": "http.response.body", "body": body[start : start + PIECE], "more_body": True})
        await send({"type": "http.response.body", "body": b""})


@dataclass(frozen=True)
class _Key:
    path: str
    query: tuple[tuple[str, str], ...] = ()
    user: str | None = None
    root: str = ""  # address of the server; of files, which do not hold it, empty
    encoding: str = "identity"


class Copies:
    """Keeps answers of an application; used on the server's event loop only.

    Args:
        app: of gradio.
        inner: what answers below the guard.
    """

    def __init__(self, app: App, inner: Callable[..., Awaitable[None]]) -> None:
        self._app: Any = app  # gradio states None as the type of what it sets later
        self._inner = inner
        self._kept: OrderedDict[_Key, Copy] = OrderedDict()
        self._bytes = 0
        self._making = asyncio.Lock()
        self._work = 0  # bytes compressed or copied for the answer that is being made

    async def find(
        self, scope: MutableMapping[str, Any], path: str, pay: Callable[[float], Awaitable[None]]
    ) -> Copy | None:
        """Return the answer to a request, or None where gradio has to answer it.

        Args:
            scope: of the request, below the guard.
            path: below the root path.
            pay: awaited with the cost of an answer that was not kept, in readings of what is.
        """
        key = self._key(scope, path)
        if key is None:
            return None
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        async with self._making:
            self._work = 0
            copy = await self._made(key, scope)
            readings = self._work / BYTES_OF_READING
        if readings:
            await pay(readings)
        return copy

    def _key(self, scope: MutableMapping[str, Any], path: str) -> _Key | None:
        path = path.rstrip("/") or "/"
        encoding = accepted(dict(scope["headers"]).get(b"accept-encoding", b"").decode("latin-1"))
        if FILES.fullmatch(path):
            return _Key(path, encoding=encoding) if encoding != "identity" else None
        if path not in PAGES:
            return None
        user = self._user(scope)
        if self._app.auth is not None and user is None and path != "/":
            return None
        given = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        query = []
        if path != "/" and (page := given.get("page", ["?"])[-1]) in self._app.get_blocks().config["page"]:
            query.append(("page", page))
        if path != "/config" and given.get("all_endpoints", [""])[-1]:
            query.append(("all_endpoints", "1"))
        return _Key(path, tuple(query), user, self._root(scope, path), encoding)

    def may_read(self, scope: MutableMapping[str, Any]) -> bool:
        """Say whether the request comes from someone who is logged in, where the server asks for that."""
        return self._app.auth is None or self._user(scope) is not None

    def _user(self, scope: MutableMapping[str, Any]) -> str | None:
        if self._app.auth is None:
            return None
        cookies, name = Request(scope).cookies, self._app.cookie_id
        token = cookies.get(f"access-token-{name}") or cookies.get(f"access-token-unsecure-{name}")
        return self._app.tokens.get(token) if token else None

    def _root(self, scope: MutableMapping[str, Any], path: str) -> str:
        """The address under which a visitor reaches the server, as gradio writes it into its answers."""
        return str(get_root_url(Request(scope), path, self._app.root_path or scope.get("root_path")))

    async def _made(self, key: _Key, scope: MutableMapping[str, Any]) -> Copy:
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if key.encoding != "identity":
            plain = replace(key, encoding="identity")
            copy = await (self._made(plain, scope) if key.root else self._answer_of_gradio(plain, scope))
            self._work += len(copy.body)
            copy = await asyncio.to_thread(_compressed, copy, key.encoding)
        else:
            general = self._general(scope, key.path)
            root = self._root(general, key.path)
            if key.root == root:
                copy = await self._answer_of_gradio(key, general)
            else:
                copy = await self._made(replace(key, root=root), scope)
                self._work += len(copy.body) // 10
                copy = _tagged(replace(copy, body=copy.body.replace(root.encode(), key.root.encode())))
        if copy.status == 200:
            self._keep(key, copy)
        return copy

    def _general(self, scope: MutableMapping[str, Any], path: str) -> dict[str, Any]:
        """The same request as from an address that stands for all."""
        cookies = [(name, value) for name, value in scope["headers"] if name == b"cookie"]
        return {**scope, "path": path, "raw_path": path.encode(), "headers": [(b"host", HOST.encode()), *cookies]}

    async def _answer_of_gradio(self, key: _Key, scope: MutableMapping[str, Any]) -> Copy:
        """Ask gradio."""
        query = urlencode(key.query).encode()
        scope = {**self._general(scope, key.path), "method": "GET", "query_string": query}
        start: Message = {}
        body = bytearray()

        async def receive() -> Message:
            await asyncio.Event().wait()
            raise AssertionError("this connection has no end")

        async def sending(message: Message) -> None:
            start.update(message) if message["type"] == "http.response.start" else body.extend(message.get("body", b""))

        await self._inner(scope, receive, sending)
        content = bytes(body)
        if key.path == "/":  # a stranger learns what there is after the login; “Use via API” asks for the rest itself
            hidden = self._app.auth is not None and key.user is None
            content = API_INFO.sub(lambda match: b"{}" if hidden else without_snippets(match[0]), content)
        headers = [(name, value) for name, value in start["headers"] if name.lower() == b"content-type"]
        if key.path in PAGES:
            headers.append((b"cache-control", b"private, no-cache"))
        headers.append((b"vary", b"accept-encoding, cookie"))
        copy = Copy(content, tuple(headers), start["status"])
        return _tagged(copy) if copy.status == 200 else copy

    def _keep(self, key: _Key, copy: Copy) -> None:
        self._kept[key] = copy
        self._bytes += len(copy.body)
        while self._bytes > KEPT_BYTES and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self._bytes -= len(old.body)


def without_snippets(info: bytes) -> bytes:
    """Return the description of the API without the examples that gradio writes for each endpoint."""
    content = orjson.loads(info)
    for row in content.get("named_endpoints", {}).values():
        row.pop("code_snippets", None)
    return str(toorjson(content)).encode()


def accepted(header: str) -> str:
    """Return the best encoding that an Accept-Encoding header allows: br, gzip or identity."""
    weights = {}
    for part in header.lower().split(","):
        name, _, parameter = part.partition(";")
        _, _, weight = parameter.replace(" ", "").partition("q=")
        weights[name.strip()] = weight
    none = re.compile(r"0(\.0*)?")
    return next((one for one in ("br", "gzip") if one in weights and not none.fullmatch(weights[one])), "identity")


def _tagged(copy: Copy) -> Copy:
    """With an ETag of its content."""
    tag = f'"{hashlib.sha256(copy.body).hexdigest()[:32]}"'.encode()
    return replace(copy, headers=(*((n, v) for n, v in copy.headers if n != b"etag"), (b"etag", tag)))


def _compressed(copy: Copy, encoding: str) -> Copy:
    if copy.status != 200:
        return copy
    if encoding == "br":
        body = brotli.compress(copy.body, quality=BROTLI_QUALITY)
    else:
        body = gzip.compress(copy.body, GZIP_LEVEL, mtime=0)
    return _tagged(replace(copy, body=body, headers=(*copy.headers, (b"content-encoding", encoding.encode()))))
