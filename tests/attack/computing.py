"""Attacks on what a server computes: protocols, images, jobs, connections, uploads, sessions, odd requests."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack

import httpx

from tests.attack.promises import Row, Size, at_once
from tests.attack.server import Server
from tests.attack.visitor import Visitor, Watch


def png(width: int, height: int, *, colour: int = 2) -> bytes:
    """A PNG of zeros; 1 x 32,000,000 pixels take 62 kB.

    Args:
        width: pixels.
        height: pixels.
        colour: 0 grey, 2 RGB, 6 RGBA.
    """

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, colour, 0, 0, 0])
    line, pack = bytes(1 + width * {0: 1, 2: 3, 6: 4}[colour]), zlib.compressobj(9)
    block = line * max(1, 1_000_000 // len(line))
    whole, rest = divmod(height * len(line), len(block))
    rows = b"".join(pack.compress(block) for _ in range(whole)) + pack.compress(block[:rest]) + pack.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def protocols(server: Server, size: Size) -> Iterator[Row]:
    """Base-60 numbers, digits, brackets and dates as protocol text."""
    attacker = Visitor(server, 2)
    digest, _ = attacker.protocol_events()
    texts = [
        "a: " + "1:" * 100_000 + "1",
        "a: " + "1:" * 31_000 + "1",
        "[" * 60_000,
        "a: " + "9" * 200_000,
        "a: 9999-99-99",
    ]
    outcomes: list[str] = []

    def one(number: int) -> None:
        end = time.monotonic() + size.seconds
        while time.monotonic() < end:
            outcomes.append(
                attacker.ask(digest, attacker.data(digest, {"audit-protocol": texts[number % len(texts)]}))[0]
            )
            time.sleep(0.1)  # an attacker elsewhere does not take the server's processor for its own work

    with Watch(server) as watch:
        at_once(size.jobs, one)
    crashed = outcomes.count("error") + outcomes.count("late")
    figure = f"{watch}; {outcomes.count('done')} answered, {crashed} crashed, {outcomes.count('429')} refused"
    yield Row(
        "protocol text",
        "each is a sentence; others wait no longer",
        figure,
        watch.within(size.median, size.worst) and not crashed,
    )


def images(server: Server, size: Size) -> Iterator[Row]:
    """The thread of 32 megapixels, and twelve images of the largest allowed size at once."""
    attacker = Visitor(server, 2)
    before = server.memory()
    thread = png(1, 32_000_000, colour=0)
    begun = time.perf_counter()
    outcome, words = attacker.question(image=thread)
    seconds = time.perf_counter() - begun
    yield Row(
        "1 x 32,000,000 PNG",
        "refused in a sentence",
        f"{len(thread) / 1000:.0f} kB, {outcome} in {seconds:.1f} s: {words[:60]}",
        outcome == "error" and "pixels a side" in words,
    )
    large, peak = png(8000, 4000, colour=6), [before]

    def one(number: int) -> str:
        visitor = Visitor(server, 2)
        end, outcome = time.monotonic() + size.seconds, ""
        while time.monotonic() < end:
            try:
                outcome = visitor.question(image=large + secrets.token_bytes(8))[0]
            except httpx.HTTPError as error:  # refused, as it should be
                outcome = type(error).__name__
                time.sleep(0.2)
            peak[0] = max(peak[0], server.memory())
        return outcome

    with Watch(server) as watch:
        at_once(12, one)
    yield Row(
        "twelve 32-megapixel images at once", "others wait no longer", str(watch), watch.within(size.median, size.worst)
    )
    begun = time.monotonic()
    while (after := server.memory()) > 1.2 * before and time.monotonic() - begun < size.rest_seconds:
        time.sleep(1)
    rest = time.monotonic() - begun
    figure = f"{before:.0f} MB before, {peak[0]:.0f} MB at most, {after:.0f} MB after {rest:.0f} s"
    yield Row("memory after it", "within 20 % of its start", figure, after < 1.2 * before)


def jobs(server: Server, size: Size) -> Iterator[Row]:
    """Audits under many session words, jobs that nobody listens to, and as many questions as one address can."""
    attacker = Visitor(server, 2)
    _, run = attacker.protocol_events()
    many = [f"label {secrets.token_hex(3)}" for _ in range(60)]
    templates = "\n".join(f"style {number} of a {{}}." for number in range(80))
    file = attacker.upload("one.png", png(300, 300))

    def audit(number: int) -> str:
        data = attacker.data(run, {"audit-read-it": True})
        return Visitor(server, 2).ask(run, data, seconds=size.seconds)[0]

    def ask(number: int) -> str:
        data = [file, [f"{label} {number}" for label in many], templates, False, ""]
        return Visitor(server, 2).ask(attacker.event("classify"), data, seconds=size.seconds)[0]

    with Watch(server) as watch:
        at_once(8, audit)
    yield Row(
        "eight audits under eight session words",
        "others wait no longer",
        str(watch),
        watch.within(size.median, size.worst),
    )
    with Watch(server) as watch:
        for number in range(10):
            attacker.join(run, attacker.data(run, {"audit-read-it": True}), f"ghost-{number}")
        time.sleep(size.seconds)
    yield Row("ten joins that nobody listens to", "they do not run", str(watch), watch.within(size.median, size.worst))
    with Watch(server) as watch:
        at_once(size.jobs, ask)
    yield Row(
        "16 questions of 60 labels x 80 templates",
        "others wait no longer",
        str(watch),
        watch.within(size.median, size.worst),
    )


def sockets(server: Server, size: Size) -> Iterator[Row]:
    """Connections that send half of a request's head."""
    written = server.log.stat().st_size
    other = Visitor(server, 3, timeout=10)
    with ExitStack() as stack:
        for _ in range(size.half_open):
            line = stack.enter_context(socket.socket())
            line.bind(("127.0.0.2", 0))
            line.connect(("127.0.0.1", server.port))
            with contextlib.suppress(OSError):
                line.sendall(b"GET / HTTP/1.1\r\nHost: ")
        worst = 0.0
        for _ in range(10):
            begun = time.perf_counter()
            other.client.get("/healthz").raise_for_status()
            worst = max(worst, time.perf_counter() - begun)
            time.sleep(0.1)
    kilobytes = (server.log.stat().st_size - written) / 1000
    yield Row(
        f"{size.half_open} half-open connections",
        "/healthz answers others, the log stays short",
        f"/healthz {worst:.2f} s at most, {kilobytes:.0f} kB of log",
        worst < size.worst and kilobytes < 100,
    )


def uploads(server: Server, size: Size) -> Iterator[Row]:
    """Eight uploads at once that do not say how much they send."""

    def one(number: int) -> int:
        def body() -> Iterator[bytes]:
            yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.zip"\r\n\r\n'
            for _ in range(size.upload_mb):
                yield bytes(1_000_000)
            yield b"\r\n--x--\r\n"

        try:
            answer = Visitor(server, 2).client.post(
                "/gradio_api/upload", content=body(), headers={"content-type": "multipart/form-data; boundary=x"}
            )
            return answer.status_code
        except httpx.HTTPError:
            return 0  # the server closed the connection while the rest was sent

    statuses = at_once(8, one)
    before, stored = -1.0, server.stored()
    while stored != before:  # what a refused upload left is swept at once
        time.sleep(0.3)
        before, stored = stored, server.stored()
    figure = f"{8 * size.upload_mb} MB sent, {stored:.0f} MB stored, {statuses.count(200)} of 8 accepted"
    yield Row("eight chunked uploads at once", "at most 600 MB of one visitor", figure, stored < 700)


def sessions(server: Server, size: Size) -> Iterator[Row]:
    """New pages, each with a session of its own."""
    attacker = Visitor(server, 2)
    reading, _ = attacker.protocol_events()
    data = attacker.data(reading)
    for number in range(5):
        attacker.ask(reading, data, page=f"warm-{number}")
    before = server.memory()
    for number in range(size.sessions):
        attacker.ask(reading, data, page=f"new-{number}")
    each = (server.memory() - before) * 1000 / size.sessions
    yield Row(f"{size.sessions} new sessions", "less than 150 kB each", f"{each:.0f} kB each", each < 150)


def odd_requests(server: Server, size: Size) -> Iterator[Row]:
    """Files that are not ours, many ranges, progress of uploads that are none, and what the answers give away."""
    attacker = Visitor(server, 4)
    foreign = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    outcome, words = attacker.ask(attacker.event("classify"), [foreign, ["cat", "dog"], "one", False, ""])
    yield Row(
        "a file that is not ours", "a sentence", f"{outcome}: {words[:70]}", outcome == "error" and len(words) > 20
    )
    path = attacker.upload("a.png", png(30, 30))["path"]
    ranges = "bytes=" + ",".join(f"{n}-{n}" for n in range(3000))
    begun = time.perf_counter()
    answer = attacker.client.get(f"/gradio_api/file={path}", headers={"Range": ranges})
    seconds = time.perf_counter() - begun
    yield Row("3,000 ranges", "the file, once", f"{answer.status_code} in {seconds:.2f} s", answer.status_code == 200)

    def progress(number: int) -> int:
        return Visitor(server, 2).client.get(f"/gradio_api/upload_progress?upload_id={number}").status_code

    with Watch(server) as watch:
        statuses = at_once(40, progress)
    figure = f"{statuses.count(429)} of 40 refused; {watch}"
    yield Row(
        "upload_progress flood",
        "four at a time",
        figure,
        statuses.count(429) > 10 and watch.within(size.median, size.worst),
    )
    bodies = [b"", b"{", b'{"data":' + b"[" * 60_000, json.dumps({"data": ["x" * 10_000] * 150}).encode()]
    statuses = [
        attacker.client.post(
            "/gradio_api/queue/join", content=body, headers={"content-type": "application/json"}
        ).status_code
        for body in bodies
    ]
    named = "server" in attacker.client.get("/healthz").headers
    yield Row(
        "broken bodies",
        "4xx; no server name",
        f"{statuses}, named: {named}",
        all(400 <= one < 500 for one in statuses) and not named,
    )
