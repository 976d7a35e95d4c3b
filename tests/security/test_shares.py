"""What one visitor may have waiting, and how a server that asks for a password treats strangers."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from guarded_server import Server, running

pytestmark = pytest.mark.heavy


def visitor(server: Server, number: int) -> httpx.Client:
    """A client with an address of its own."""
    transport = httpx.HTTPTransport(local_address=f"127.0.0.{number}")
    return httpx.Client(base_url=server.url, timeout=30, transport=transport, trust_env=False)


def ask(client: httpx.Client, name: str, text: str) -> float:
    """Seconds until a job's answer is here."""
    begun = time.perf_counter()
    event = client.post(f"/gradio_api/call/{name}", json={"data": [text]}).json()["event_id"]
    assert text in client.get(f"/gradio_api/call/{name}/{event}").text
    return time.perf_counter() - begun


@contextmanager
def listening(server: Server, page: str, number: int) -> Iterator[None]:
    """Hold a page's stream open without reading it, from an address of its own."""
    with socket.create_connection(("127.0.0.1", server.port), source_address=(f"127.0.0.{number}", 0)) as line:
        line.sendall(f"GET /gradio_api/queue/data?session_hash={page} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        yield


@pytest.fixture
def at_rest(server: Server) -> Server:
    """The server that tests share, once no job of another test waits; each test asks from addresses of its own."""
    until(lambda: httpx.get(f"{server.url}/gradio_api/queue/status", trust_env=False).json()["queue_size"] == 0)
    return server


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_one_page_and_one_address_may_have_only_so_many_jobs_waiting(tmp_path: Path) -> None:
    few = {"waiting_per_page": 3, "waiting_per_visitor": 6}
    with running(tmp_path, limits=few) as server, visitor(server, 11) as client, ExitStack() as listeners:

        def join(page: str) -> int:
            body = {"data": ["x"], "fn_index": 1, "session_hash": page}
            status = client.post("/gradio_api/queue/join", json=body).status_code
            if status == 200:
                listeners.enter_context(listening(server, page, 11))
            time.sleep(0.1)
            return status

        assert [join("one") for _ in range(6)] == [200] * 4 + [429] * 2  # one runs, three wait
        assert [join(f"made-up-{i}") for i in range(4)] == [200] * 3 + [429]  # six of this address wait
        body = {"data": ["quick"], "fn_index": 2, "session_hash": "one"}
        assert client.post("/gradio_api/run/light", json=body).json()["data"] == ["quick"]


def test_a_job_that_nobody_listens_to_does_not_run(tmp_path: Path) -> None:
    with (
        running(tmp_path, limits={"listen_seconds": 2.0}) as server,
        visitor(server, 1) as ghosts,
        visitor(server, 2) as one,
    ):
        for number in range(10):
            body = {"data": ["x"], "fn_index": 1, "session_hash": f"ghost-{number}"}
            ghosts.post("/gradio_api/queue/join", json=body)
        assert ask(one, "slow", "mine") < 10.0  # the job's own second, not eleven
        until(lambda: one.get("/gradio_api/queue/status").json()["queue_size"] == 0)  # forgotten


def test_the_engine_hears_of_pages_that_left_their_job_and_of_no_others(at_rest: Server) -> None:
    left = at_rest.hook.with_suffix(".left")

    def heard() -> list[str]:
        return (
            [line for line in left.read_text().splitlines() if line.startswith("127.0.0.12|")] if left.exists() else []
        )

    with visitor(at_rest, 12) as client:
        for page in ("stays", "leaves"):
            body = {"data": ["8"], "fn_index": 3, "session_hash": page}
            assert client.post("/gradio_api/queue/join", json=body).status_code == 200
        with listening(at_rest, "stays", 12):
            with listening(at_rest, "leaves", 12):
                time.sleep(1.0)
            until(lambda: bool(heard()), 6.0)  # before the jobs end
            assert heard() == ["127.0.0.12|leaves"]


def test_one_address_does_not_keep_others_waiting(at_rest: Server) -> None:
    with visitor(at_rest, 13) as many, visitor(at_rest, 14) as one, ExitStack() as listeners:
        for number in range(7):
            body = {"data": ["x"], "fn_index": 1, "session_hash": f"page-{number}"}
            assert many.post("/gradio_api/queue/join", json=body).status_code == 200
            listeners.enter_context(listening(at_rest, f"page-{number}", 13))
        assert ask(one, "slow", "mine") < 5.0  # after the one that runs, before the six that wait


@pytest.mark.parametrize("event", [3, 4], ids=["edits", "choices"])
def test_a_page_is_answered_in_its_order_and_other_pages_do_not_wait(at_rest: Server, event: int) -> None:
    with visitor(at_rest, 12 + event) as client:
        for page, seconds in (("one", "2.0"), ("one", "0.1"), ("two", "0.2")):
            body = {"data": [seconds], "fn_index": event, "session_hash": f"{page}-{event}"}
            assert client.post("/gradio_api/queue/join", json=body).status_code == 200
        with ThreadPoolExecutor(2) as pool:
            one, two = pool.map(lambda page: completed(client, f"{page}-{event}"), ("one", "two"))
        assert [text for _, text in one] == ["2.0", "0.1"]
        assert [text for _, text in two] == ["0.2"]
        assert two[0][0] < one[0][0]


def completed(client: httpx.Client, page: str) -> list[tuple[float, str]]:
    """When each answer of a page came, and what it was, until the stream ends."""
    answers = []
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": page}) as lines:
        for line in lines.iter_lines():
            if line.startswith("data: ") and (sent := json.loads(line[6:]))["msg"] == "process_completed":
                answers.append((time.perf_counter(), sent["output"]["data"][0]))
    return answers


def test_an_error_without_words_gets_some(client: httpx.Client) -> None:
    client.post("/gradio_api/queue/join", json={"data": ["no number"], "fn_index": 3, "session_hash": "odd"})
    text = client.get("/gradio_api/queue/data?session_hash=odd").text
    assert "Something went wrong on the server" in text


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([{"path": "/etc/passwd"}], "“Picture” got a path that is no upload here"),
        (
            [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}],
            "“Picture” got a path that is no upload here",
        ),
        ([5], "“Picture” does not take '5'."),
        (["cat.png"], "“Picture” does not take 'cat.png'."),
        ([], "This call takes 1 inputs; got 0."),
    ],
)
def test_an_input_that_its_box_does_not_take_is_refused_in_a_sentence(
    client: httpx.Client, given: list[object], sentence: str
) -> None:
    event = client.post("/gradio_api/call/look", json={"data": given}).json()["event_id"]
    text = client.get(f"/gradio_api/call/look/{event}").text
    assert "event: error" in text
    assert sentence in json.loads(text.split("data: ")[1])["error"]
    assert "passwd" not in text


@pytest.mark.parametrize(
    ("event", "given", "sentence"),
    [
        (5, [None], "“Ticked” does not take 'None'."),
        (5, [True], "Something went wrong on the server"),  # a page sends that: the fault is the view's
        (6, ["some text"], "This call needs the choice on the page"),
    ],
)
def test_a_view_that_fails_with_what_no_page_sends_answers_a_sentence(
    client: httpx.Client, event: int, given: list[object], sentence: str
) -> None:
    body = {"data": given, "fn_index": event, "session_hash": f"odd-{event}-{len(sentence)}"}
    client.post("/gradio_api/queue/join", json=body)
    assert sentence in client.get(f"/gradio_api/queue/data?session_hash={body['session_hash']}").text


def test_a_server_with_a_password(tmp_path: Path) -> None:
    with running(tmp_path, host="0.0.0.0", auth="ann:secret", allow_host=["clip.example"]) as server:
        with httpx.Client(base_url=server.url, timeout=20, trust_env=False) as client:
            assert client.get("/healthz").json()["status"] == "ready"
            closed = ("config", "gradio_api/info", "gradio_api/heartbeat/abc", f"gradio_api/file={server.uploads}/x")
            for path in closed:
                assert client.get(f"/{path}").status_code == 401
            assert "/look" not in client.get("/").text  # the login names no function
            body = {"data": ["x"], "fn_index": 2, "session_hash": "s"}
            for path in ("/gradio_api/queue/join", "/gradio_api/run/light", "/gradio_api/call/light"):
                assert client.post(path, json=body).status_code == 401
            assert client.post("/gradio_api/upload", files={"files": b"x"}).status_code == 401
            answers = [client.post("/login", data={"username": "ann", "password": str(n)}) for n in range(8)]
            assert [answer.status_code for answer in answers] == [400] * 5 + [429] * 3
            assert "try again in 2 seconds" in answers[5].json()["detail"]
            time.sleep(2.1)
            assert client.post("/login", data={"username": "ann", "password": "secret"}).status_code == 200
            assert "/look" in client.get("/").text
            assert client.get("/config").status_code == 200
            with client.stream("GET", "/gradio_api/heartbeat/abc") as stream:
                assert stream.status_code == 200
            assert client.get("/config", headers={"Host": "clip.example"}).status_code == 200
            assert client.get("/config", headers={"Host": "evil.example"}).status_code == 400
            assert client.get("/logout", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
            assert client.get("/config").status_code == 200  # an image on a foreign page logs nobody out
            assert client.get("/logout", headers={"Sec-Fetch-Site": "same-origin"}).status_code < 400
            assert client.get("/config").status_code == 401
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=10) == 0


def test_the_end(tmp_path: Path) -> None:
    """SIGTERM in the middle of a job: out within ten seconds, status 0, no upload left behind."""
    with running(tmp_path) as server:
        with httpx.Client(base_url=server.url, timeout=20, trust_env=False) as client:
            client.post("/gradio_api/upload", files={"files": ("a.png", b"x", "image/png")})
            client.post("/gradio_api/call/slow", json={"data": ["x"]})
        assert server.uploads.is_dir()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=10) == 0
        assert not server.uploads.exists()


def test_ipv6(tmp_path: Path) -> None:
    with running(tmp_path, host="::1") as server:
        url = f"http://[::1]:{server.port}"
        assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
        assert httpx.get(f"{url}/config", trust_env=False).json()["root"] == url


def test_under_a_path_of_a_proxy(tmp_path: Path) -> None:
    with running(tmp_path, root_path="/clip", allow_host=["shown.example"]) as server:
        headers = {"X-Forwarded-Host": "shown.example", "X-Forwarded-Proto": "https"}
        for path in ("/config", "/clip/config"):
            answer = httpx.get(server.url + path, headers=headers, trust_env=False)
            assert answer.json()["root"] == "https://shown.example/clip"
        assert httpx.get(f"{server.url}/clip/healthz", trust_env=False).status_code == 200
        headers["Origin"] = "https://shown.example"
        body = {"data": ["x"], "fn_index": 2, "session_hash": "s"}
        answer = httpx.post(f"{server.url}/gradio_api/run/light", json=body, headers=headers, trust_env=False)
        assert answer.status_code == 200


def test_a_space(tmp_path: Path) -> None:
    env = {"SPACE_ID": "someone/clip", "SPACE_HOST": "someone-clip.hf.space"}
    with running(tmp_path, env=env, allow_host=["someone-clip.hf.space"], host="0.0.0.0") as server:
        headers = {"Host": "someone-clip.hf.space", "X-Forwarded-For": "8.8.8.8"}
        answer = httpx.get(f"{server.url}/", headers=headers, trust_env=False)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert policy.endswith("frame-ancestors 'self' https://huggingface.co https://*.hf.space")
        assert "x-frame-options" not in answer.headers
        assert httpx.get(f"{server.url}/", headers={"Host": "other.hf.space"}, trust_env=False).status_code == 400
        assert server.outgoing() == []
