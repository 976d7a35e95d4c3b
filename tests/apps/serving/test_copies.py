"""Kept answers: what every visitor gets alike is made once, and nobody gets what is another's."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import brotli
import gradio as gr
import pytest
from gradio.routes import App
from starlette.testclient import TestClient

from apps.serving.copies import API_INFO, HOST, Copies, accepted, without_snippets
from apps.serving.refusal import Message, Receive, Send

TOKENS = {"right": "ann"}


class Page:
    """An application that counts its answers, and writes into each for whom it is."""

    def __init__(self, auth: object = None) -> None:
        self.asked: list[str] = []
        blocks = SimpleNamespace(config={"page": {"": {}}})
        self.app: Any = SimpleNamespace(
            auth=auth, tokens=TOKENS, cookie_id="x", root_path="/clip", get_blocks=lambda: blocks
        )
        self.copies = Copies(self.app, self._answer)
        self.paid: list[float] = []

    async def _answer(self, scope: Any, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        self.asked.append(scope["path"] + "?" + scope["query_string"].decode())
        user = "ann" if b"right" in headers.get(b"cookie", b"") else "nobody"
        host = headers[b"host"].decode()
        body = f"root http://{host}/clip/file, {user}, " + "x" * 100_000
        status = 404 if scope["path"].endswith("missing.js") else 200
        start = {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/html")]}
        await send(start)
        await send({"type": "http.response.body", "body": body.encode()})

    def get(
        self, path: str, *, method: str = "GET", query: str = "", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask; status 0 where gradio has to answer."""
        named = {"host": "localhost:7860"} | {name.replace("_", "-"): value for name, value in headers.items()}
        raw = [(name.encode(), value.encode()) for name, value in named.items()]
        scope = {"type": "http", "method": method, "path": path, "headers": raw, "query_string": query.encode()}
        scope |= {"scheme": "http", "server": ("127.0.0.1", 7860), "root_path": "/clip"}
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def pay(readings: float) -> None:
            self.paid.append(readings)

        async def ask() -> None:
            copy = await self.copies.find(scope, path, pay)
            if copy is not None:
                await copy.send(send, scope)

        asyncio.run(ask())
        if not sent:
            return 0, {}, b""
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], {n.decode(): v.decode() for n, v in sent[0]["headers"]}, body


UNPACK: dict[str, Callable[[bytes], bytes]] = {"br": brotli.decompress, "gzip": gzip.decompress, "identity": bytes}


@pytest.mark.parametrize("encoding", UNPACK)
def test_a_page_is_made_once_for_all_addresses_and_says_the_right_one(encoding: str) -> None:
    page = Page()
    for host in ("localhost:7860", "127.0.0.1:7860", "localhost:7860"):
        status, headers, body = page.get("/", host=host, accept_encoding=encoding)
        text = UNPACK[encoding](body).decode()
        assert status == 200
        assert text.startswith(f"root http://{host}/clip/file, ")
        assert HOST not in text
        assert headers.get("content-encoding", "identity") == encoding
        assert int(headers["content-length"]) == len(body)
    assert len(page.asked) == 1
    assert page.get("/", x_forwarded_proto="https", accept_encoding="br")[2] != b""
    assert len(page.paid) == 3  # what is kept costs nothing further


def test_who_has_it_is_told_so_and_gets_the_new_one_after_a_change() -> None:
    page = Page()
    _, headers, _ = page.get("/config", accept_encoding="gzip")
    status, again, body = page.get("/config", accept_encoding="gzip", if_none_match=f'"other", {headers["etag"]}')
    assert (status, body, again["etag"]) == (304, b"", headers["etag"])
    assert page.get("/config", if_none_match=headers["etag"])[0] == 200  # another encoding is another file
    assert page.get("/config", host="127.0.0.1", accept_encoding="gzip", if_none_match=headers["etag"])[0] == 200
    status, headers, body = page.get("/config", method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 100_000


def test_a_stranger_never_gets_the_page_of_who_is_logged_in() -> None:
    page = Page(auth=object())
    for _ in range(2):
        assert b", ann, " in page.get("/", cookie="access-token-x=right")[2]
        assert b", nobody, " in page.get("/")[2]
        assert b", nobody, " in page.get("/", cookie="access-token-x=wrong")[2]
        assert b", ann, " in page.get("/config", cookie="access-token-unsecure-x=right")[2]
        assert page.get("/config") == (0, {}, b"")  # gradio refuses
        assert page.get("/gradio_api/info", cookie="access-token-x=wrong") == (0, {}, b"")
    assert len(page.asked) == 3
    TOKENS.clear()  # logged out
    assert page.get("/config", cookie="access-token-x=right") == (0, {}, b"")
    TOKENS["right"] = "ann"


def test_made_up_questions_make_no_further_copies() -> None:
    page = Page()
    for number in range(50):
        page.get("/", query=f"view=x{number}&page=y{number}")
        page.get("/config/", query=f"page=y{number}")
    assert page.asked == ["/?", "/config?"]
    page.get("/config", query="page=")
    assert page.asked[2:] == ["/config?page="]


def test_scripts_are_kept_compressed_and_what_is_missing_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page()
    for _ in range(3):
        status, headers, body = page.get("/assets/one.js", accept_encoding="gzip, br")
        assert (status, headers["content-encoding"]) == (200, "br")
        assert brotli.decompress(body).startswith(b"root")
    assert len(page.asked) == 1
    assert page.get("/assets/one.js")[0] == 0  # as it is: the file itself
    assert page.get("/assets/font.woff2", accept_encoding="br")[0] == 0
    assert page.get("/gradio_api/queue/status", accept_encoding="br")[0] == 0
    for _ in range(2):
        assert page.get("/assets/missing.js", accept_encoding="br")[0] == 404
    assert len(page.asked) == 3


def test_copies_of_many_addresses_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.serving.copies.KEPT_BYTES", 1_000_000)
    page = Page()
    for port in range(40):
        page.get("/", host=f"localhost:{port + 1}")
    assert 900_000 < page.copies._bytes <= 1_000_000
    assert page.copies._bytes == sum(len(copy.body) for copy in page.copies._kept.values())
    assert sum(page.paid) > 0
    assert len(page.asked) == 1  # what all addresses share is asked for again and again, so it stays


@pytest.mark.parametrize(
    ("header", "best"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip;q=0.5, br; q=0", "gzip"),
        ("", "identity"),
        ("*", "identity"),
        ("GZIP", "gzip"),
        ("br;q=0.000,gzip;q=0", "identity"),
    ],
)
def test_accepted_encodings(header: str, best: str) -> None:
    assert accepted(header) == best


@pytest.fixture(scope="module")
def real() -> App:
    with gr.Blocks(analytics_enabled=False) as demo:
        name = gr.Textbox(label="<b>&'")
        name.change(lambda text: text, name, name, api_name="same")
    demo.theme = gr.themes.Base()  # as launch sets it
    app = App.create_app(demo)
    app.root_path = "/clip"
    return app


@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/info", "/config?page=", "/gradio_api/info?page="])
@pytest.mark.parametrize("host", ["localhost:7860", "[::1]:80"])
def test_a_copy_is_what_gradio_answers_itself(real: App, path: str, host: str) -> None:
    headers = {"host": host, "x-forwarded-proto": "https"}
    copies = Copies(real, real.build_middleware_stack())

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        async def pay(readings: float) -> None: ...

        below = scope["path"].removeprefix("/clip")
        copy = await copies.find({**scope, "app": real, "root_path": "/clip"}, below, pay)
        assert copy is not None
        await copy.send(send, scope)

    kept = TestClient(app).get(f"/clip{path}", headers=headers)
    assert HOST not in kept.text
    real.api_info = None  # gradio keeps the address of whoever asked first
    own = TestClient(real, root_path="/clip").get(path, headers=headers)
    assert own.status_code == 200
    assert kept.content == API_INFO.sub(lambda match: without_snippets(match[0]), own.content)
    assert path != "/" or b"code_snippets" not in kept.content
    real.api_info = None
