"""The endpoints of the HTTP API as tools over HTTP, at the page's own address and behind its guard: `serve --mcp`.

A tool call asks the page's server from inside, as the visitor who sent it: host, origin, login, limits, queue and
uploads are checked as for everybody.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import mimetypes
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from apps.api.table import ENDPOINTS, Endpoint
from apps.mcp.server import IMAGES, MOST_IMAGES, answered
from apps.serving.refusal import Message, Receive, Send, answer
from apps.serving.routes import API
from workbench.errors import BadInput, WorkbenchError, unknown_name

Scope = MutableMapping[str, Any]
DATA = re.compile(r"data:([\w.+/-]{1,80});base64,(.*)", re.DOTALL)
FILE = ": a data URI (data:image/png;base64,…), or the path of an upload"
PASSED_ON = (b"host", b"origin", b"cookie", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto")


class Agents:
    """An ASGI application of one address."""

    def __init__(self) -> None:
        self._door: Callable[..., Awaitable[None]] | None = None  # the guard of this server
        self._manager = StreamableHTTPSessionManager(app=self._server(), stateless=True)

    @asynccontextmanager
    async def running(self, door: Callable[..., Awaitable[None]]) -> AsyncIterator[None]:
        """Answer while the server runs; `door` is what every request passes."""
        self._door = door
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, of visitors who are logged in where a login is needed."""
        status, _ = await self._ask(scope, "GET", f"{API}/login_check")
        if status == 200:
            await self._manager.handle_request(scope, receive, send)
        else:
            await answer(send, 401, {"detail": "Log in first: send the cookies of POST /login."})

    def _server(self) -> Server[Any, Any]:
        made: Server[Any, Any] = Server("clip-workbench")

        @made.list_tools()
        async def listed() -> list[types.Tool]:
            return [
                types.Tool(
                    name=row.name, description=f"{row.text} Answers {row.answer}.", inputSchema=schema(row),
                    annotations=types.ToolAnnotations(openWorldHint=False),
                )
                for row in ENDPOINTS.values()
            ]  # fmt: skip

        @made.call_tool(validate_input=False)
        async def called(name: str, arguments: dict[str, Any]) -> types.CallToolResult:
            context = made.request_context
            token = context.meta.progressToken if context.meta else None

            async def report(progress: Mapping[str, Any]) -> None:
                if token is not None:
                    await context.session.send_progress_notification(
                        token, progress["done"], progress["total"] or None, progress["text"], str(context.request_id)
                    )

            assert context.request is not None
            try:
                return await self._called(context.request.scope, name, arguments, report)
            except WorkbenchError as error:
                return answered(str(error), error=True)

        return made

    async def _called(
        self, scope: Scope, name: str, arguments: dict[str, Any], report: Callable[[Mapping[str, Any]], Awaitable[None]]
    ) -> types.CallToolResult:
        """Call an endpoint, and wait for its last event.

        Raises:
            BadInput: a refusal, or an error of the endpoint.
        """
        if name not in ENDPOINTS:
            raise unknown_name("tool", name, ENDPOINTS)
        for key, one in ENDPOINTS[name].parameters.items():
            if one.file and key in arguments:
                arguments[key] = await self._uploaded(scope, arguments[key])
        queued = await self._json(scope, f"{API}/call/v2/{name}", json.dumps(arguments).encode())
        rest, last = "", ("", "null")

        async def hear(part: bytes) -> None:
            nonlocal rest, last
            *events, rest = (rest + part.decode()).split("\n\n")
            for event in events:
                kind, _, data = event.removeprefix("event: ").partition("\ndata: ")
                if kind in ("complete", "error"):
                    last = kind, data
                elif kind == "generating" and "progress" in (step := json.loads(data)[0]):
                    await report(step["progress"])

        await self._ask(scope, "GET", f"{API}/call/{name}/{queued['event_id']}", hear=hear)
        value = json.loads(last[1])
        if last[0] != "complete":
            raise BadInput(f"{value['title']}: {value['error']}" if isinstance(value, dict) else "The job ended early.")
        text = json.dumps(value[0])
        return answered(text, *[one async for one in self._images(scope, value[0])], error=False)

    async def _uploaded(self, scope: Scope, value: Any) -> Any:
        """Upload what a data URI holds, and return its path; a path stays."""
        if isinstance(value, list):
            return [await self._uploaded(scope, one) for one in value]
        match = DATA.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            return value
        try:
            content = base64.b64decode(match[2], validate=True)
        except binascii.Error:
            raise BadInput("A data URI holds base64: data:image/png;base64,…") from None
        ending, edge = mimetypes.guess_extension(match[1]) or ".bin", secrets.token_hex(16)
        head = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="given{ending}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{edge}--\r\n".encode()
        return (await self._json(scope, f"{API}/upload", body, kind=f"multipart/form-data; boundary={edge}"))[0]

    async def _images(self, scope: Scope, value: Any) -> AsyncIterator[types.ImageContent]:
        for path in [one for one in _files(value) if any(one.endswith(end) for end in IMAGES)][:MOST_IMAGES]:
            status, content = await self._ask(scope, "GET", f"{API}/file={path}")
            if status == 200:
                kind = IMAGES["." + path.rsplit(".", 1)[1]]
                yield types.ImageContent(type="image", data=base64.b64encode(content).decode(), mimeType=kind)

    async def _json(self, scope: Scope, path: str, body: bytes, *, kind: str = "application/json") -> Any:
        """Post something, and return what it answers.

        Raises:
            BadInput: it is refused.
        """
        status, content = await self._ask(scope, "POST", path, body=body, kind=kind)
        if status != 200:
            raise BadInput(str(json.loads(content or b"{}").get("detail", f"The server answers with status {status}.")))
        return json.loads(content)

    async def _ask(
        self, scope: Scope, method: str, path: str, *, body: bytes = b"", kind: str = "", hear: Any = None
    ) -> tuple[int, bytes]:
        """Ask this server as the visitor of a request; return status and body."""
        status, parts, waiting = 500, list[bytes](), [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if not waiting:
                await asyncio.Event().wait()  # until whoever asks goes away
            return waiting.pop()

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            parts.append(message.get("body", b""))
            if hear is not None and parts[-1]:
                await hear(parts.pop())

        headers = [(name, value) for name, value in scope["headers"] if name in PASSED_ON]
        headers += [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())] if kind else []
        inside = {
            **scope,
            "method": method,
            "path": scope.get("root_path", "") + path,
            "raw_path": b"",
            "query_string": b"",
        }
        assert self._door is not None
        await self._door({**inside, "headers": headers}, receive, send)
        return status, b"".join(parts)


def schema(row: Endpoint) -> dict[str, Any]:
    """Return the JSON Schema of an endpoint's arguments."""
    properties = {}
    for name, one in row.parameters.items():
        made = one.schema()
        text = made.pop("additional_description")
        if one.file:
            made = {"type": "array", "items": {"type": "string"}} if made["type"] == "array" else {"type": "string"}
        properties[name] = {**made, "description": text + FILE * one.file}
    required = [name for name, one in row.parameters.items() if one.required]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _files(value: Any) -> Iterator[str]:
    """Yield the paths of the files in an answer."""
    if isinstance(value, dict) and isinstance(value.get("path"), str):
        yield value["path"]
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _files(one)
