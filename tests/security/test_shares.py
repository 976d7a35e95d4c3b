"""What one visitor may have waiting, and how a server that asks for a password treats strangers."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import httpx
import pytest
from guarded_server import running

pytestmark = pytest.mark.heavy


def test_one_page_and_one_address_may_have_only_so_many_jobs_waiting(tmp_path: Path) -> None:
    with running(tmp_path) as server, httpx.Client(base_url=server.url, timeout=20, trust_env=False) as client:

        def join(page: str) -> int:
            body = {"data": ["x"], "fn_index": 1, "session_hash": page}
            status = client.post("/gradio_api/queue/join", json=body).status_code
            time.sleep(0.05)
            return status

        assert [join("one") for _ in range(6)] == [200] * 4 + [429] * 2  # one runs, three wait
        assert [join(f"made-up-{i}") for i in range(4)] == [200] * 3 + [429]  # six of this address wait
        body = {"data": ["quick"], "fn_index": 2, "session_hash": "one"}
        assert client.post("/gradio_api/run/light", json=body).json()["data"] == ["quick"]


def test_a_server_with_a_password(tmp_path: Path) -> None:
    with running(tmp_path, host="0.0.0.0", auth="ann:secret", allow_host=["clip.example"]) as server:
        with httpx.Client(base_url=server.url, timeout=20, trust_env=False) as client:
            assert client.get("/healthz").json()["status"] == "ready"
            for path in ("/config", "/gradio_api/info", f"/gradio_api/file={server.uploads}/x"):
                assert client.get(path).status_code == 401
            body = {"data": ["x"], "fn_index": 2, "session_hash": "s"}
            for path in ("/gradio_api/queue/join", "/gradio_api/run/light", "/gradio_api/call/light"):
                assert client.post(path, json=body).status_code == 401
            assert client.post("/gradio_api/upload", files={"files": b"x"}).status_code == 401
            assert client.post("/login", data={"username": "ann", "password": "wrong"}).status_code == 400
            assert client.post("/login", data={"username": "ann", "password": "secret"}).status_code == 200
            assert client.get("/config").status_code == 200
            assert client.get("/config", headers={"Host": "clip.example"}).status_code == 200
            assert client.get("/config", headers={"Host": "evil.example"}).status_code == 400
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
