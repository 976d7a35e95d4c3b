"""Too much, too deep, too slow: bodies that a server must survive (rows S7, S14, S15, S16)."""

from __future__ import annotations

import io
import re
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from guarded_server import Server, timed
from PIL import Image

pytestmark = pytest.mark.heavy

JOIN = "/gradio_api/queue/join"
HEADERS = {"content-type": "application/json"}


def upload(client: httpx.Client, name: str, content: bytes, kind: str = "image/png") -> str:
    answer = client.post("/gradio_api/upload", files={"files": (name, content, kind)})
    assert answer.status_code == 200, answer.text
    return str(answer.json()[0])


def look(client: httpx.Client, name: str, content: bytes) -> tuple[str, float]:
    """Upload a picture and look at it; the answer's text and the seconds of looking."""
    path = upload(client, name, content)
    data = [{"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}]
    begun = time.perf_counter()
    event = client.post("/gradio_api/call/look", json={"data": data}).json()["event_id"]
    heard = client.get(f"/gradio_api/call/look/{event}").text
    return heard, time.perf_counter() - begun


def png(width: int, height: int, rows: bytes | None = None) -> bytes:
    """A PNG of black pixels, made without holding them."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    if rows is None:
        pack = zlib.compressobj(9)
        line = bytes(1 + (width + 7) // 8)
        rows = b"".join(pack.compress(line) for _ in range(height)) + pack.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def saved(kind: str, mode: str = "RGB", size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, kind, **options)
    return out.getvalue()


def frames(count: int) -> bytes:
    out = io.BytesIO()
    first, *others = (Image.new("P", (2, 2), color=i % 2) for i in range(count))
    first.save(out, "GIF", save_all=True, append_images=others)
    return out.getvalue()


def with_text(megabytes: int) -> bytes:
    """A small PNG whose zTXt chunk unpacks to that many megabytes."""
    packed = zlib.compress(bytes(megabytes * 1_000_000), 9)
    data = b"Comment\0\0" + packed
    chunk = len(data).to_bytes(4, "big") + b"zTXt" + data + zlib.crc32(b"zTXt" + data).to_bytes(4, "big")
    plain = saved("PNG")
    return plain[:33] + chunk + plain[33:]


BOMBS = {
    "9000 squared": lambda: png(9000, 9000),
    "13000 squared": lambda: png(13000, 13000),
    "20000 squared": lambda: png(20000, 20000, zlib.compress(b"\0")),
    "a thread of 32 megapixels": lambda: png(1, 32_000_000, zlib.compress(bytes(64_000_000), 9)),
    "ztxt 200 MB": lambda: with_text(200),
    "gif": lambda: frames(500),
    "ico": lambda: saved("ICO"),
    "tiff": lambda: saved("TIFF"),
    "eps": lambda: saved("EPS"),
    "dcx": lambda: b"\xb1\x68\xde\x3a" + bytes(4096),
    "spider": lambda: np.zeros(300, dtype=">f4").tobytes(),
    "fits": lambda: b"SIMPLE  =                    T" + bytes(2880),
    "psd": lambda: b"8BPS\0\1" + bytes(100),
    "truncated": lambda: saved("PNG", size=(400, 400))[:-60],
    "empty": lambda: b"",
    "text": lambda: b"not a picture",
    "svg": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://example.org/x.png'/></svg>",
}


@pytest.mark.parametrize("name", BOMBS)
def test_s14_bombs_and_foreign_kinds_are_refused_cheaply(server: Server, client: httpx.Client, name: str) -> None:
    content = BOMBS[name]()
    look(client, "first.png", saved("PNG"))  # Pillow's readers are loaded at the first picture
    before = server.memory()
    heard, seconds = look(client, "picture.png", content)
    assert "event: error" in heard
    assert not re.search(r"/tmp|Traceback|site-packages", heard)
    assert seconds < 1.0
    assert server.memory() - before < 150e6
    assert server.outgoing() == []


KINDS = {
    "jpeg": (lambda: saved("JPEG"), "40x30"),
    "webp": (lambda: saved("WEBP"), "40x30"),
    "cmyk": (lambda: saved("JPEG", "CMYK"), "40x30"),
    "palette": (lambda: saved("PNG", "P"), "40x30"),
    "16 bit": (lambda: saved("PNG", "I;16"), "40x30"),
    "one pixel": (lambda: saved("PNG", size=(1, 1)), "1x1"),
    "a thread": (lambda: saved("PNG", size=(1, 16_384)), "1x16384"),
    "turned by EXIF": (lambda: saved("JPEG", exif=turned()), "30x40"),
}


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.mark.parametrize("name", KINDS)
def test_s14_every_allowed_kind_is_read(client: httpx.Client, name: str) -> None:
    make, size = KINDS[name]
    assert f'["{size}"]' in look(client, "picture.png", make())[0]


class Zeros:
    """A gigabyte that is counted while it is sent."""

    def __init__(self, size: int) -> None:
        self.left = size

    def __iter__(self) -> Iterator[bytes]:
        head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.zip"\r\n\r\n'
        yield head
        while self.left > 0:
            self.left -= 1_000_000
            yield bytes(1_000_000)


def settled(server: Server, stored: int) -> bool:
    """Wait until the folder of uploads is back at that size."""
    for _ in range(50):
        if server.stored() <= stored:
            return True
        time.sleep(0.1)
    return False


def test_s15_a_gigabyte_is_refused_before_it_is_sent(server: Server) -> None:
    before = server.stored()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        kind = "multipart/form-data; boundary=x"
        head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
        begun = time.perf_counter()
        line.sendall(f"{head}Content-Length: 1000000000\r\n\r\n".encode())
        assert line.recv(1000).startswith(b"HTTP/1.1 413")
        assert time.perf_counter() - begun < 0.1
    assert settled(server, before)


def test_s15_a_gigabyte_without_a_length_is_cut_at_the_limit(server: Server, client: httpx.Client) -> None:
    before, zeros = server.stored(), Zeros(1_000_000_000)
    headers = {"content-type": "multipart/form-data; boundary=x"}
    try:
        answer = client.post("/gradio_api/upload", headers=headers, content=zeros)
        assert answer.status_code == 413
    except httpx.WriteError:  # the line was cut while sending: refused as well
        pass
    assert zeros.left > 500_000_000
    assert settled(server, before)
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(("count", "status"), [(1001, 413), (257, 413), (256, 200)])
def test_s15_too_many_files_are_refused(server: Server, client: httpx.Client, count: int, status: int) -> None:
    before = server.stored()
    files = [("files", (f"{i}.png", b"x", "image/png")) for i in range(count)]
    assert client.post("/gradio_api/upload", files=files).status_code == status
    assert settled(server, before + count * (status == 200))


@pytest.mark.parametrize(("name", "status"), [("a.png", 413), ("a.zip.png", 413), ("a.zip", 200)])
def test_s15_a_zip_may_be_larger_than_a_picture(server: Server, client: httpx.Client, name: str, status: int) -> None:
    before = server.stored()
    answer = client.post("/gradio_api/upload", files={"files": (name, bytes(10_000_001), "image/png")})
    assert answer.status_code == status
    assert settled(server, before + 10_000_001 * (status == 200))
    assert client.post("/gradio_api/upload", files={"files": (name, bytes(10_000_000))}).status_code == 200


@pytest.mark.parametrize("path", ["/gradio_api/upload", JOIN])
def test_s15_a_slow_sender_is_let_go(server: Server, path: str) -> None:
    before = server.stored()
    kind = "multipart/form-data; boundary=x" if "upload" in path else "application/json"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: 1000\r\n\r\n"
        line.sendall(head.encode() + b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n')
        begun = time.perf_counter()
        assert line.recv(1000).startswith(b"HTTP/1.1 408")
        assert 0.8 < time.perf_counter() - begun < 4  # this server was started with a patience of one second
    assert settled(server, before)


def test_s15_an_upload_that_breaks_off_leaves_nothing(server: Server) -> None:
    before = server.stored()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        kind = "multipart/form-data; boundary=x"
        head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
        part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        line.sendall(f"{head}Content-Length: 9999\r\n\r\n".encode() + part + b"a" * 5000)
        time.sleep(0.3)
    assert settled(server, before)


BAD_JSON = {
    "3 MB": (b'{"data": ["' + b"a" * 3_000_000 + b'"], "fn_index": 2, "session_hash": "s"}', 413),
    "50k deep": (b'{"data": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 400),
    "100 deep": (b'{"data": ' + b"[" * 100 + b"]" * 100 + b"}", 400),
    "NaN": (b'{"data": [NaN], "fn_index": 2, "session_hash": "s"}', 400),
    "infinity": (b'{"data": [-Infinity], "fn_index": 2, "session_hash": "s"}', 400),
    "half a character": (rb'{"data": ["\ud800"], "fn_index": 2, "session_hash": "s"}', 400),
    "NUL": (rb'{"data": ["a\u0000b"], "fn_index": 2, "session_hash": "s"}', 400),
    "no UTF-8": (b'{"data": ["\xff"], "fn_index": 2, "session_hash": "s"}', 400),
    "not an object": (b"[1, 2]", 400),
    "empty": (b"", 400),
    "half": (b'{"data": [', 400),
    "300k values": (b'{"data": [[' + b"1," * 300_000 + b'1]], "fn_index": 2, "session_hash": "s"}', 413),
    "data is a word": (b'{"data": "x", "fn_index": 2, "session_hash": "s"}', 422),
    "no data": (b'{"fn_index": 2, "session_hash": "s"}', 422),
    "unknown number": (b'{"data": [], "fn_index": 999, "session_hash": "s"}', 404),
    "negative number": (b'{"data": [], "fn_index": -1, "session_hash": "s"}', 404),
    "number is a word": (b'{"data": [], "fn_index": "1", "session_hash": "s"}', 404),
    "number is true": (b'{"data": [], "fn_index": true, "session_hash": "s"}', 404),
    "number is missing": (b'{"data": [], "session_hash": "s"}', 404),
    "odd session": (b'{"data": [], "fn_index": 2, "session_hash": "../x"}', 400),
    "session is a number": (b'{"data": [], "fn_index": 2, "session_hash": 7}', 400),
}


@pytest.mark.parametrize("name", BAD_JSON)
def test_s16_malformed_calls_are_refused_at_once(client: httpx.Client, name: str) -> None:
    content, status = BAD_JSON[name]
    for path in (JOIN, "/gradio_api/run/light", "/gradio_api/call/light"):
        if path != JOIN and name == "number is missing":
            continue
        answer = client.post(path, content=content, headers=HEADERS)
        assert answer.status_code == status, answer.text
        assert not re.search(r"/tmp|Traceback|site-packages", answer.text)
        assert answer.json()["detail"]


def test_s16_a_refusal_takes_less_than_a_tenth_of_a_second(client: httpx.Client) -> None:
    for name in ("50k deep", "NaN", "unknown number", "300k values"):
        times = [timed(client, "POST", JOIN, content=BAD_JSON[name][0], headers=HEADERS)[1] for _ in range(5)]
        assert sorted(times)[2] < 0.1, name


@pytest.mark.parametrize("data", [[], [1, 2, 3], [{"a": 1}], [None], ["x" * 100_000]])
def test_s16_wrong_inputs_end_the_job_cleanly(client: httpx.Client, data: list[object]) -> None:
    answer = client.post("/gradio_api/call/look", json={"data": data})
    if answer.status_code == 200:
        heard = client.get(f"/gradio_api/call/look/{answer.json()['event_id']}").text
        assert re.search(r"event: (error|complete)", heard)
        assert "Traceback" not in heard
    else:
        assert 400 <= answer.status_code < 500


def test_s16_unknown_names_and_events(client: httpx.Client) -> None:
    assert client.post("/gradio_api/call/nothing", json={"data": []}).status_code == 404
    assert client.post("/gradio_api/run/nothing", json={"data": []}).status_code == 404
    assert 400 <= client.post("/gradio_api/cancel", json={"session_hash": "s"}).status_code < 500


def test_s16_others_are_answered_meanwhile(server: Server) -> None:
    """Somebody sends the worst bodies without a pause; another visitor's requests stay quick."""
    stop = threading.Event()

    def pester() -> None:
        with httpx.Client(base_url=server.url, timeout=20, trust_env=False) as pest:
            while not stop.is_set():
                for name in ("3 MB", "50k deep", "300k values", "100 deep"):
                    pest.post(JOIN, content=BAD_JSON[name][0], headers=HEADERS)

    thread = threading.Thread(target=pester)
    thread.start()
    try:
        with httpx.Client(base_url=server.url, timeout=20, trust_env=False) as visitor:
            times = sorted(timed(visitor, "GET", "/healthz")[1] for _ in range(100))
    finally:
        stop.set()
        thread.join()
    assert times[98] < 0.2


ACTIVE = {
    "page.html": b"<script>window.__x = 1</script>",
    "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>window.__x = 1</script></svg>",
    "script.js": b"window.__x = 1",
    "picture.png": b"<html><script>window.__x = 1</script></html>",
    "both.jpg": b"\xff\xd8\xff\xe0<html><script>window.__x = 1</script></html>",
}


@pytest.mark.parametrize("name", ACTIVE)
def test_s7_what_was_uploaded_is_never_a_page(client: httpx.Client, name: str) -> None:
    path = upload(client, name, ACTIVE[name], "text/html")
    answer = client.get(f"/gradio_api/file={path}")
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    kind = answer.headers["content-type"]
    assert (kind.startswith("image/") and "svg" not in kind) or "attachment" in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    "name", ["../../etc/x.png", "a\r\nb.png", "x" * 400 + ".png", "CON", ".htaccess", "ü😀.png", ".."]
)
def test_s7_odd_names_stay_inside(server: Server, client: httpx.Client, name: str) -> None:
    answer = client.post("/gradio_api/upload", files={"files": (name, saved("PNG"), "image/png")})
    if answer.status_code == 200:
        path = Path(answer.json()[0])
        assert server.uploads in path.resolve().parents
        assert path.is_file()
    else:
        assert 400 <= answer.status_code < 500
