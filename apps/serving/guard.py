"""The door of the web server: every request passes here before Gradio sees it, and every answer on its way out.

Does not know about tabs and models. It checks in this order: host, address, page of origin, fair share, length and
pace of the body, what the body asks for. A refusal is small JSON with a sentence, sent before anything was looked up,
fetched or stored.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from apps.limits import Limits
from apps.serving import bodies, logins, origins, routes
from apps.serving.headers import dressed, security_headers
from apps.serving.parts import Parts
from apps.serving.refusal import Message, Receive, Refused, Send, answer, linger
from apps.serving.turns import VISITOR, Turns
from apps.serving.uploads import Uploads
from apps.serving.visitors import Visitors, address
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from apps.serving.copies import Copies
    from apps.serving.sessions import Sessions

PAGE = re.compile(r"[\w-]{1,64}", re.ASCII)
FORM_BYTES = 10_000  # of the login form
READ_BYTES = 500_000  # of an answer cost as much as one reading
FAILED = "Something went wrong on the server while it answered this request. Try again, or check what was sent."


@dataclass(frozen=True)
class Rules:
    """What the guard goes by."""

    limits: Limits
    uploads: Path  # where gradio keeps uploads and results
    status: Callable[[], Mapping[str, str]]  # what /healthz answers
    functions: Callable[[], Mapping[int, str]] = dict  # number of each event -> its name
    positional: Callable[[str, Mapping[str, Any]], list[Any] | None] = lambda name, given: None  # of an endpoint
    turns: Turns | None = None  # of gradio's queue
    sessions: Sessions | None = None  # what is kept of each page
    hosts: frozenset[str] = frozenset(origins.LOOPBACK)  # names this server answers to
    public: frozenset[str] = field(default=frozenset())  # names under which a proxy shows it
    root_path: str = ""
    space: bool = False
    agents: Any = None  # answers the Model Context Protocol; None where the owner did not ask for it


class Guard:
    """ASGI middleware, meant to be the outermost."""

    def __init__(self, app: Callable[..., Any], rules: Rules, copies: Copies | None = None) -> None:
        self._app = app
        self._copies = copies
        self._rules = rules
        self._visitors = Visitors(rules.limits, rules.turns.queued if rules.turns else tuple)
        self._logins = logins.Logins()
        self._uploads = Uploads(rules.uploads, rules.limits)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path = _below(scope["path"], self._rules.root_path)
        is_file = path.startswith(f"{routes.API}/file=")
        answering = _Answer(
            dressed(
                send,
                security_headers(space=self._rules.space, file=is_file),
                own_page=origins.own_origin(headers, self._rules.public),
            )
        )
        try:
            await self._pass(scope, headers, path, receive, answering)
        except Refused as refused:
            if answering.begun:
                return
            body = scope["method"] not in ("GET", "HEAD", "OPTIONS")
            await answer(answering, refused.status, {"detail": refused.reason}, close=body)
            if body:
                await linger(receive, answering)

    async def _pass(
        self, scope: dict[str, Any], headers: dict[str, str], path: str, receive: Receive, send: Send
    ) -> None:
        method = scope["method"]
        origins.check_host(headers, self._rules.hosts, str((scope.get("server") or ("",))[0]))
        if path == "/healthz" and method in ("GET", "HEAD"):
            await answer(send, 200, dict(self._rules.status()))
            return
        if not (path.rstrip("/") == routes.MCP and method == "POST" and self._rules.agents):
            routes.check_route(method, path, scope.get("query_string", b""), files=self._rules.uploads)
        origins.check_origin(method, headers, self._rules.public, path=path)
        who = address(headers, str((scope.get("client") or ("",))[0]), proxied=self._rules.space)
        scope = {**scope, "headers": self._believed(scope["headers"]), VISITOR: who}
        if method != "POST":
            async with self._visitors.reading(who, progress=path.endswith("/upload_progress")) as pay:
                with self._listening(path, scope.get("query_string", b"")):
                    await self._read(scope, path, receive, _Paced(send, pay), pay)
            return
        with self._visitors.request(who):
            if routes.is_upload(path):
                await self._upload(scope, headers, receive, send, who=who)
            else:
                await self._post(scope, headers, path, receive, send, who=who)

    async def _read(
        self, scope: dict[str, Any], path: str, receive: Receive, send: Send, pay: Callable[[float], Awaitable[None]]
    ) -> None:
        if self._copies and routes.shows(path) and not self._copies.may_read(scope):
            raise Refused(401, "Log in first.")  # gradio opens this stream, which has no end, for anyone
        copy = await self._copies.find(scope, path, pay) if self._copies else None
        if copy is not None:
            await copy.send(send, scope)
        else:
            await self._app(scope, receive, send)

    def _listening(self, path: str, query: bytes) -> AbstractContextManager[None]:
        """Note who shows a page, and who listens to its stream, or to the stream of one job."""
        if (page := routes.shows(path)) and self._rules.sessions:
            return self._rules.sessions.shown(page)
        name = routes.listens_to(path, query)
        return self._rules.turns.listener(name) if self._rules.turns and name else nullcontext()

    async def _upload(
        self, scope: dict[str, Any], headers: dict[str, str], receive: Receive, send: Send, *, who: str
    ) -> None:
        limits = self._rules.limits
        bodies.check_announced(headers, limits.upload_bytes)
        counted = bodies.Counted(
            receive, most=limits.upload_bytes, idle=limits.idle_seconds, whole=limits.upload_seconds
        )
        async with self._uploads.one(who, int(headers.get("content-length", "0"))) as came:

            async def reading() -> Message:
                message = await counted()
                came(len(message.get("body", b"")))
                return message

            parts = Parts(reading, headers.get("content-type", ""), limits)
            await _with_refusals(self._app, scope, parts, send)

    async def _post(
        self, scope: dict[str, Any], headers: dict[str, str], path: str, receive: Receive, send: Send, *, who: str
    ) -> None:
        limits = self._rules.limits
        form = path.startswith("/login")
        most = FORM_BYTES if form else limits.json_bytes
        bodies.check_announced(headers, most)
        if not form and not headers.get("content-type", "").lower().startswith("application/json"):
            raise Refused(415, "This address takes JSON (content-type: application/json).")
        counted = bodies.Counted(receive, most=most, idle=limits.idle_seconds, whole=limits.json_seconds)
        raw = await counted.whole()
        if raw is None:
            return
        if not form:
            body = bodies.read_json(raw, limits)
            if named := routes.NAMED.fullmatch(path):
                path, body = f"{routes.API}/call/{named[1]}", self._in_order(named[1], body)
                raw, scope = (
                    orjson.dumps(body),
                    {**scope, "path": scope["path"].replace("/call/v2/", "/call/"), "raw_path": b""},
                )
            raw = self._checked(path, body, raw, who)
        kept = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        kept.append((b"content-length", str(len(raw)).encode()))
        scope = {**scope, "headers": kept}
        if form:
            await self._login(scope, raw, receive, send, who=who)
        else:
            app = self._rules.agents if path.rstrip("/") == routes.MCP else self._app
            await app(scope, _replay(raw, receive), send)

    async def _login(self, scope: dict[str, Any], form: bytes, receive: Receive, send: Send, *, who: str) -> None:
        name = logins.name_of(form)
        await asyncio.sleep(self._logins.begin(who, name))

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                self._logins.succeeded(who, name)
            await send(message)

        await self._app(scope, _replay(form, receive), sending)

    def _checked(self, path: str, body: dict[str, Any], raw: bytes, who: str) -> bytes:
        """Return the body as it is passed on."""
        page = body.get("session_hash")
        if page is not None and not (isinstance(page, str) and PAGE.fullmatch(page)):
            raise Refused(400, "A session hash has up to 64 letters, digits, - and _.")
        if not (routes.is_job(path) or path.startswith(f"{routes.API}/run/")):
            return raw
        self._check_function(path, body)
        if page is None:
            page = body["session_hash"] = secrets.token_hex(8)
            raw = orjson.dumps(body)
        if routes.is_job(path):
            self._visitors.check_job(who, page)
        return raw

    def _in_order(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the body of a call whose arguments have names, as gradio takes it."""
        page = arguments.pop("session_hash", None)
        try:
            data = self._rules.positional(name, arguments)
        except WorkbenchError as error:
            raise Refused(422, str(error)) from None
        if data is None:
            raise Refused(404, "There is no function of that name.")
        return {"data": data, **({} if page is None else {"session_hash": page})}

    def _check_function(self, path: str, body: dict[str, Any]) -> None:
        known, number, name = self._rules.functions(), body.get("fn_index"), path.rsplit("/", 1)[-1]
        if not isinstance(body.get("data"), list):
            raise Refused(422, "A call carries its inputs as a list called data.")
        if number is not None and (type(number) is not int or number not in known):
            raise Refused(404, "There is no function of that number.")
        if number is None and (name == "join" or name not in known.values()):
            raise Refused(404, "There is no function of that name.")

    def _believed(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Drop what could tell Gradio another name for this server, and ranges of files that it cannot serve."""

        def keeps(name: bytes, value: bytes) -> bool:
            if name == b"x-forwarded-host":
                return origins.host_name(value.decode("latin-1")) in self._rules.public
            return name != b"x-gradio-server" and (name != b"range" or bool(routes.RANGE.fullmatch(value)))

        return [(name, value) for name, value in headers if keeps(name.lower(), value)]


class _Answer:
    """The sending side: remembers whether the answer has begun, and says in words what went wrong inside."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False
        self._failed: Message | None = None  # the start of an answer with status 500, until its body is known
        self._over = False

    async def __call__(self, message: Message) -> None:
        if self._over:
            return
        self.begun = True
        if message["type"] == "http.response.start" and message["status"] == 500:
            self._failed = message
        elif self._failed is None:
            await self._send(message)
        elif _has_words(message.get("body", b"")):
            await self._send(self._failed)
            await self._send(message)
            self._failed = None
        else:
            self._over = True
            await answer(self._send, 500, {"detail": FAILED})


class _Paced:
    """The sending side of an answer whose bytes are paid for."""

    def __init__(self, send: Send, pay: Callable[[float], Awaitable[None]]) -> None:
        self._send = send
        self._pay = pay

    async def __call__(self, message: Message) -> None:
        await self._send(message)
        if body := message.get("body"):
            await self._pay(len(body) / READ_BYTES)


def _has_words(body: bytes) -> bool:
    """Whether an answer with status 500 says what went wrong, as errors that a user can mend do."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(content, dict) and bool(content.get("error") or content.get("detail"))


async def _with_refusals(app: Callable[..., Any], scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Run the application; a refusal that it met while reading wins over whatever it made of that."""
    met: list[Refused] = []
    gone = False

    async def reading() -> Message:
        nonlocal gone
        try:
            message = await receive()
        except Refused as refused:
            met.append(refused)
            return {"type": "http.disconnect"}
        gone = message["type"] == "http.disconnect"
        return message

    async def sending(message: Message) -> None:
        if not met:
            await send(message)

    try:
        await app(scope, reading, sending)
    except Exception:  # boundary: whatever gradio makes of a body that was cut off
        if not (met or gone):
            raise
    if met:
        raise met[0]


def _replay(raw: bytes, receive: Receive) -> Receive:
    """Give a body that was read already, then what the connection says."""
    given = False

    async def replaying() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": raw, "more_body": False}

    return replaying


def _below(path: str, root: str) -> str:
    """Return the path below the root path, which some proxies strip and others leave."""
    inside = root and (path == root or path.startswith(f"{root}/"))
    return (path.removeprefix(root) or "/") if inside else path
