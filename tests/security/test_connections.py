"""Before any request: half-open connections, too many connections, and what they leave in the log."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from guarded_server import Server, running

pytestmark = pytest.mark.heavy


@contextmanager
def half_open(server: Server, number: int, address: str = "127.0.0.1") -> Iterator[list[socket.socket]]:
    """Connections that send half of a request's head, and then nothing."""
    with ExitStack() as stack:
        lines = []
        for _ in range(number):
            line = stack.enter_context(
                socket.create_connection(("127.0.0.1", server.port), source_address=(address, 0))
            )
            with contextlib.suppress(OSError):
                line.sendall(b"GET / HTTP/1.1\r\nHost: ")
            line.setblocking(False)
            lines.append(line)
        yield lines


def cut(line: socket.socket) -> bool:
    """Whether the server has closed a connection."""
    try:
        return line.recv(1000) == b"" or cut(line)
    except BlockingIOError:
        return False
    except OSError:
        return True


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def healthy(server: Server, address: str) -> float:
    """Seconds that /healthz takes for an address."""
    begun = time.perf_counter()
    with httpx.Client(transport=httpx.HTTPTransport(local_address=address), timeout=10) as client:
        assert client.get(f"{server.url}/healthz").json()["status"] == "ready"
    return time.perf_counter() - begun


def test_half_open_connections_do_not_stop_others_and_are_cut(tmp_path: Path) -> None:
    with running(tmp_path, limits={"header_seconds": 4.0}) as server:
        with half_open(server, 700) as lines:
            until(lambda: sum(map(cut, lines)) >= 700 - 256)
            assert sum(map(cut, lines)) == 700 - 256  # what one address may have
            assert healthy(server, "127.0.0.2") < 2.0
            until(lambda: all(map(cut, lines)))
        assert healthy(server, "127.0.0.1") < 2.0
        assert (tmp_path / "stderr.txt").stat().st_size < 20_000


def test_all_addresses_together_have_a_limit(tmp_path: Path) -> None:
    with (
        running(tmp_path, limits={"connections": 40, "header_seconds": 2.0}) as server,
        half_open(server, 30, "127.0.0.2"),
        half_open(server, 30, "127.0.0.3") as lines,
    ):
        until(lambda: sum(map(cut, lines)) >= 20)
        assert sum(map(cut, lines)) == 20
        until(lambda: all(map(cut, lines)))
        assert healthy(server, "127.0.0.4") < 2.0


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server that waits two seconds for the head of a request, and its log."""
    place = tmp_path_factory.mktemp("hasty")
    with running(place, limits={"header_seconds": 2.0}) as server:
        yield server, place / "stderr.txt"


def test_a_connection_that_is_used_stays(hasty: tuple[Server, Path]) -> None:
    """A stream that is open, and a client that comes back every second, are no half-open heads."""
    server = hasty[0]
    with httpx.Client(base_url=server.url) as client:
        with client.stream("GET", "/gradio_api/heartbeat/page") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "data: ALIVE"
            for _ in range(4):
                assert client.get("/healthz").status_code == 200
                time.sleep(1)
        assert healthy(server, "127.0.0.1") < 2.0


def test_no_answer_names_the_server(hasty: tuple[Server, Path]) -> None:
    server = hasty[0]
    assert "server" not in httpx.get(f"{server.url}/healthz", trust_env=False).headers
    for raw in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port)) as line:
            line.sendall(raw)
            line.settimeout(5)
            assert b"uvicorn" not in line.recv(10_000).lower()


def test_nonsense_fills_no_log(hasty: tuple[Server, Path]) -> None:
    server, log = hasty
    with ExitStack() as stack:
        for _ in range(200):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            line.sendall(b"nonsense\r\n\r\n")
            line.settimeout(60)
            while line.recv(10_000):
                pass  # until the server has closed it
        assert healthy(server, "127.0.0.2") < 2.0
        assert log.stat().st_size < 20_000
