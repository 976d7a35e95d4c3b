"""Hosts, origins, routes, bodies and shares on their own, without a server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from apps.limits import LOCAL, SPACE, Limits, current, shown
from apps.serving.bodies import Counted, check_announced, read_json
from apps.serving.guard import Guard, Rules
from apps.serving.origins import check_host, host_name, own_origin
from apps.serving.refusal import Message, Refused
from apps.serving.routes import check_route
from apps.serving.visitors import Queued, Visitors, address


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("localhost", "localhost"),
        ("LocalHost:7860", "localhost"),
        ("[::1]:7860", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("a@localhost", ""),
        ("localhost/x", ""),
        ("localhost:x", ""),
        (" localhost", ""),
        ("", ""),
    ],
)
def test_the_name_in_a_host_header(value: str, name: str) -> None:
    assert host_name(value) == name


def test_the_address_of_the_connection_is_a_name_of_the_server() -> None:
    check_host({"host": "192.168.1.7:7860"}, (), "192.168.1.7")
    with pytest.raises(Refused):
        check_host({"host": "192.168.1.8:7860"}, (), "192.168.1.7")
    with pytest.raises(Refused):
        check_host({"host": "rebound.example"}, (), "192.168.1.7")


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://localhost:7860", "localhost:7860", True),
        ("http://localhost:7861", "localhost:7860", False),
        ("https://clip.example", "clip.example", True),
        ("https://clip.example:443", "clip.example", True),
        ("https://shown.example", "127.0.0.1:7860", True),  # a proxy that changes Host
        ("https://other.example", "127.0.0.1:7860", False),
        ("null", "localhost:7860", False),
        ("http://", "localhost", False),
        ("chrome-extension://localhost", "localhost", False),
    ],
)
def test_whose_page_it_is(origin: str, host: str, own: bool) -> None:
    assert own_origin({"origin": origin, "host": host}, {"shown.example"}) is own


def test_a_page_of_another_site_is_known_without_an_origin() -> None:
    assert own_origin({"host": "localhost"}, ())
    assert not own_origin({"host": "localhost", "sec-fetch-site": "cross-site"}, ())


@pytest.mark.parametrize("name", ["a.png", "sub/a.png", "a b.png", "100%.png"])
def test_files_of_the_folder_are_let_through(name: str) -> None:
    check_route("GET", f"/gradio_api/file=/up/loads/{name}", files=Path("/up/loads"))


@pytest.mark.parametrize("name", ["/up/loads", "/up/loadsx/a", "/up/loads/../a", "/up/loads/%2e%2e/a", "up/loads/a"])
def test_files_beside_the_folder_are_not(name: str) -> None:
    with pytest.raises(Refused) as met:
        check_route("GET", f"/gradio_api/file={name}", files=Path("/up/loads"))
    assert met.value.status == 403


@pytest.mark.parametrize("length", ["-1", "1e3", "x", "1_000", "٣"])
def test_an_announced_length_is_a_number(length: str) -> None:
    with pytest.raises(Refused) as met:
        check_announced({"content-length": length}, 10)
    assert met.value.status in (400, 413)


def test_plain_json_is_read() -> None:
    body = {"data": ["ä😀", 1, None, {"path": "/tmp/x", "url": "http://localhost/x"}], "fn_index": 3}
    import json

    assert read_json(json.dumps(body).encode(), LOCAL) == body


@pytest.mark.parametrize(
    "path", ["http://a", "HTTPS://a", "//a", "\\\\a\\b", "file:///a", "data:image/png;base64,", "ftp://a"]
)
def test_a_file_is_never_a_web_address(path: str) -> None:
    import json

    with pytest.raises(Refused) as met:
        read_json(json.dumps({"data": [[{"deep": {"path": path}}]]}).encode(), LOCAL)
    assert met.value.status == 403


def receiving(pieces: list[bytes], pause: float = 0.0):  # type: ignore[no-untyped-def]
    left = list(pieces)

    async def receive() -> Message:
        await asyncio.sleep(pause)
        piece = left.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(left)}

    return receive


def test_bytes_are_counted_as_they_come() -> None:
    async def read(most: int) -> bytes | None:
        return await Counted(receiving([b"ab", b"cd", b"e"]), most=most, idle=1, whole=1).whole()

    assert asyncio.run(read(5)) == b"abcde"
    with pytest.raises(Refused) as met:
        asyncio.run(read(4))
    assert met.value.status == 413


@pytest.mark.parametrize(("idle", "whole"), [(0.01, 10.0), (10.0, 0.05)])
def test_a_body_has_its_time(idle: float, whole: float) -> None:
    async def read() -> bytes | None:
        return await Counted(receiving([b"a"] * 100, pause=0.02), most=1000, idle=idle, whole=whole).whole()

    with pytest.raises(Refused) as met:
        asyncio.run(read())
    assert met.value.status == 408


def test_a_visitor_behind_the_spaces_proxy() -> None:
    spoofed = {"x-forwarded-for": "9.9.9.9, 8.8.8.8, 10.0.0.3"}
    assert address(spoofed, "10.0.0.1", proxied=True) == "8.8.8.8"
    assert address(spoofed, "127.0.0.1", proxied=False) == "127.0.0.1"
    assert address({"x-forwarded-for": "nonsense"}, "10.0.0.1", proxied=True) == "10.0.0.1"


def test_an_ipv6_household_is_one_visitor() -> None:
    one, two = (address({}, f"2a00:1450:4001:81b::{i}", proxied=False) for i in (1, 2))
    assert one == two


def test_requests_in_a_while_are_limited_and_come_back() -> None:
    now = [0.0]
    visitors = Visitors(Limits(requests_burst=3, requests_per_second=1.0), tuple, clock=lambda: now[0])

    def ask(who: str) -> int:
        try:
            with visitors.request(who):
                return 200
        except Refused as refused:
            return refused.status

    assert [ask("a") for _ in range(4)] == [200, 200, 200, 429]
    assert ask("b") == 200
    now[0] = 1.0
    assert [ask("a"), ask("a")] == [200, 429]


def test_requests_at_once_are_limited() -> None:
    visitors = Visitors(Limits(requests_open=1), tuple)
    with visitors.request("a"), pytest.raises(Refused), visitors.request("a"):
        pass
    with visitors.request("a"):
        pass


def test_other_requests_are_slowed_down_and_only_many_at_once_are_refused() -> None:
    visitors = Visitors(Limits(reads_burst=2, reads_per_second=20.0, reads_open=3), tuple)
    seconds: list[float] = []

    async def read(who: str) -> int:
        begun = asyncio.get_running_loop().time()
        try:
            async with visitors.reading(who, progress=False):
                seconds.append(asyncio.get_running_loop().time() - begun)
                await asyncio.sleep(0.2)
        except Refused as refused:
            return refused.status
        return 200

    async def several() -> list[int]:
        return await asyncio.gather(*(read("a") for _ in range(4)), read("b"))

    assert asyncio.run(several()) == [200, 200, 200, 429, 200]
    assert sorted(seconds)[2] < 0.04 < 0.05 <= max(seconds)


def test_streams_of_upload_progress_are_few() -> None:
    visitors = Visitors(Limits(progress_open=1), tuple)

    async def two() -> None:
        async with visitors.reading("a", progress=True), visitors.reading("a", progress=False):
            with pytest.raises(Refused):
                async with visitors.reading("a", progress=True):
                    pass

    asyncio.run(two())


def test_waiting_jobs_are_limited_by_page_and_by_address() -> None:
    waiting: list[Queued] = []
    visitors = Visitors(LOCAL, lambda: waiting)

    def join(who: str, page: str, *, waits: bool = True) -> bool:
        try:
            visitors.check_job(who, page)
        except Refused:
            return False
        waiting.append(Queued(who, page, waits))
        return True

    assert [join("a", "one") for _ in range(9)] == [True] * 8 + [False]
    assert [join("a", f"made up {i}") for i in range(5)] == [True] * 4 + [False]  # twelve of one address
    assert join("b", "other")
    waiting.clear()
    assert all(join("a", "one", waits=False) for _ in range(LOCAL.queued_per_visitor))  # they begin in a moment
    assert not join("a", "two")
    assert join("b", "other")


def test_the_table_is_tighter_in_a_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert current() is LOCAL
    monkeypatch.setenv("SPACE_ID", "someone/clip")
    assert current() is SPACE
    for name, value in vars(SPACE).items():
        assert value <= vars(LOCAL)[name], name
    assert (LOCAL.pictures, LOCAL.upload_bytes, LOCAL.json_bytes) == (256, 300_000_000, 2_000_000)
    assert ("Waiting jobs", "8 a page, 12 a visitor") in shown(LOCAL)


def request(rules: Rules, path: str, *, method: str = "GET", headers: dict[str, str] | None = None) -> list[Message]:
    """Speak to a guard around an application that says where it thinks it is."""
    sent: list[Message] = []

    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        await send({"type": "http.response.start", "status": 200, "headers": [*scope["headers"], (b"server", b"x/1")]})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(k.encode(), v.encode()) for k, v in {"host": "localhost", **(headers or {})}.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw, "query_string": b""}
    asyncio.run(Guard(app, rules)(scope, receiving([b""]), send))
    return sent


def rules(**more: object) -> Rules:
    status = {"status": "loading", "model": "pocket", "device": "cpu"}
    return Rules(limits=LOCAL, uploads=Path("/nowhere"), status=lambda: status, **more)  # type: ignore[arg-type]


def test_healthz_is_answered_under_a_root_path_too() -> None:
    for path in ("/healthz", "/clip/healthz"):
        start, body = request(rules(root_path="/clip"), path)
        assert start["status"] == 200
        assert body["body"] == b'{"status": "loading", "model": "pocket", "device": "cpu"}'


def test_a_forwarded_host_is_kept_only_where_the_server_is_shown_under_it() -> None:
    for given, kept in (("clip.example", True), ("evil.example", False)):
        start, _ = request(rules(public=frozenset({"clip.example"})), "/", headers={"x-forwarded-host": given})
        assert ((b"x-forwarded-host", given.encode()) in start["headers"]) is kept


def test_frames_are_allowed_where_the_hub_shows_a_space() -> None:
    for space, frames in ((True, "https://huggingface.co"), (False, "'self'")):
        start, _ = request(rules(space=space), "/")
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        assert headers["content-security-policy"].split("frame-ancestors ")[1].find(frames) >= 0
        assert ("x-frame-options" in headers) is not space
        assert "server" not in headers


def test_a_websocket_is_closed() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        raise AssertionError("passed on")

    asyncio.run(Guard(app, rules())({"type": "websocket", "path": "/", "headers": []}, receiving([]), send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
