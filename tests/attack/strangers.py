"""Attacks by strangers who only read, upload, come and go: what it costs, and what others notice."""

from __future__ import annotations

import itertools
import secrets
import statistics
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx

from tests.attack.promises import Row, Size, at_once
from tests.attack.server import Server
from tests.attack.visitor import Visitor, Watch

SCRIPTS = Path(httpx.__file__).parents[1] / "gradio" / "templates" / "frontend" / "assets"
COMPRESSED = {"accept-encoding": "gzip, br"}
MEGABYTE = bytes(1_000_000)


def reading(server: Server, size: Size) -> Iterator[Row]:
    """Loops over the page, its description and its largest script, under ever other addresses too."""
    script = "/assets/" + max(SCRIPTS.glob("*.js"), key=lambda file: file.stat().st_size).name
    for path in ("/", "/config", script):
        one = Visitor(server, 4)
        one.client.get(path, headers=COMPRESSED).raise_for_status()
        time.sleep(1.0)
        at_rest, number = _computing_at_rest(server), 100
        before, begun = server.computing(), time.monotonic()
        for _ in range(number):
            one.client.get(path, headers=COMPRESSED)
        each = (server.computing() - before - at_rest * (time.monotonic() - begun)) * 1000 / number
        yield Row(f"reading {path[:24]}", "under 3 ms of computing", f"{each:.1f} ms", each < 3)
        one.client.close()
    ports = itertools.count(1024)
    for connections, path in ((5, "/config"), (30, "/config"), (30, "/"), (30, script), (30, "ever other addresses")):

        def loop(number: int, path: str = path) -> int:
            attacker, count = Visitor(server, 2), 0
            end = time.monotonic() + size.seconds
            while time.monotonic() < end:
                host = {"host": f"localhost:{next(ports)}"} if path[0] != "/" else {}
                with suppress(httpx.HTTPError):
                    attacker.client.get(path if path[0] == "/" else "/", headers=COMPRESSED | host)
                count += 1
            return count

        with Watch(server) as watch:
            total = sum(int(str(one)) for one in at_once(connections, loop))
        figure = f"{watch}; {total / size.seconds:.0f} read a second"
        yield Row(
            f"{path[:24]} on {connections} connections",
            "others wait no longer",
            figure,
            watch.within(size.median, size.worst),
        )


def _computing_at_rest(server: Server) -> float:
    """Seconds of computing in a second in which nobody asks."""
    before = server.computing()
    time.sleep(1.0)
    return server.computing() - before


def honest_uploads(server: Server, size: Size) -> Iterator[Row]:
    """Small uploads from 24 addresses while others break off: what was answered with 200 is there."""
    outcomes: list[str] = []

    def one(number: int) -> None:
        visitor = Visitor(server, 20 + number)
        while outcomes.count("stored") < size.small_uploads:
            if secrets.randbelow(8) == 0:
                _break_off(visitor, [b"half"])
            outcomes.append(_stored(visitor))

    begun = time.monotonic()
    at_once(24, one)
    stored, lost, cut = (outcomes.count(one) for one in ("stored", "lost", "cut"))
    left = len(list(server.uploads.rglob("tmp*")))
    figure = f"{stored} stored, {lost} lost, {cut} cut, {left} fragments, in {time.monotonic() - begun:.0f} s"
    yield Row("honest uploads beside broken ones", "none is lost", figure, stored > 0 == lost + cut + left)


def _stored(visitor: Visitor) -> str:
    """Upload something small; say what came of it."""
    content = secrets.token_bytes(300)
    try:
        answer = visitor.client.post("/gradio_api/upload", files={"files": ("a.png", content)})
    except httpx.HTTPError:
        return "cut"
    if answer.status_code == 429:
        time.sleep(0.5)
        return "refused"
    with suppress(OSError, ValueError, IndexError):
        if Path(answer.json()[0]).read_bytes() == content:
            return "stored"
    return "lost"


def broken_uploads(server: Server, size: Size) -> Iterator[Row]:
    """Uploads that break off, one after the other: their bytes count for their address."""
    attacker, sent = Visitor(server, 5), 0
    while sent < 3 * 600:
        _break_off(attacker, itertools.repeat(MEGABYTE, 40))
        sent += 40
        answer = attacker.client.post("/gradio_api/upload", files={"files": ("a.png", b"small")})
        if answer.status_code == 507:
            break
    other = Visitor(server, 6).client.post("/gradio_api/upload", files={"files": ("a.png", b"small")}).status_code
    figure = f"{sent} MB passed, {server.stored():.0f} MB stored, another address: {other}"
    yield Row("uploads that break off", "600 MB of one address", figure, sent <= 640 and other == 200)


def _break_off(visitor: Visitor, pieces: Iterator[bytes] | list[bytes] | itertools.repeat[bytes]) -> None:
    def body() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.zip"\r\n\r\n'
        yield from pieces
        raise ConnectionError

    kind = {"content-type": "multipart/form-data; boundary=x"}
    with suppress(ConnectionError, httpx.HTTPError):
        visitor.client.post("/gradio_api/upload", content=body(), headers=kind)


def crowd(server: Server, size: Size) -> Iterator[Row]:
    """Many visitors who come, look, ask, and leave before they are answered."""
    before, threads = server.memory(), server.threads()
    seconds: list[float] = []

    def one(number: int) -> None:
        for person in range(number, size.visitors, 8):
            with Visitor(server, 20 + person % 200).client as client:
                begun = time.perf_counter()
                client.get("/", headers=COMPRESSED).raise_for_status()
                seconds.append(time.perf_counter() - begun)
                page = secrets.token_hex(6)
                with client.stream("GET", f"/gradio_api/heartbeat/{page}") as beat:
                    next(beat.iter_lines(), "")
                    attacker = Visitor(server, 20 + person % 200)
                    with suppress(httpx.HTTPError):
                        attacker.ask(
                            attacker.event("classify"), [None, ["a", "b"], "one", False, ""], page=page, seconds=0.2
                        )

    with Watch(server) as watch:
        at_once(8, one)
    time.sleep(2.0)
    grown, more = server.memory() - before, server.threads() - threads
    figure = f"page {statistics.median(seconds):.2f} s, {watch}; {grown:.0f} MB and {more} threads more afterwards"
    yield Row(
        f"{size.visitors} visitors join and leave",
        "others wait no longer, nothing stays",
        figure,
        watch.within(size.median, size.worst) and grown < 60 and more < 12,
    )
