"""What a stranger can reach: files, other sites, hidden routes, the server under foreign names (rows S1 to S6, S17)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from guarded_server import Server, running
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.heavy

FILES = [
    "/etc/passwd",
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "....//....//etc/passwd",
    "..\\..\\etc\\passwd",
    "%252e%252e%252f%252e%252e%252fetc%252fpasswd",
    "file:///etc/passwd",
    "/proc/self/environ",
    "pyproject.toml",
    "apps/serving/guard.py",
    "/etc/passwd%00.png",
]
ADDRESSES = [
    "http://example.org/a.png",
    "https://example.org/a.png",
    "HTTP://example.org/a.png",
    "%68ttp://example.org/a.png",
    "%2568ttp://example.org/a.png",
    "http:/%2fexample.org/a.png",
    "//example.org/a.png",
    "http://127.0.0.1:22/",
    "http://[::1]/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://169.254.169.254/latest/meta-data/",
    "ftp://example.org/a",
    " http://example.org/",
    "gopher://example.org/",
]


def raw_get(client: httpx.Client, target: str) -> httpx.Response:
    """Send a path as it is: httpx would tidy dots and percent signs."""
    request = client.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=target.encode("ascii"))
    return client.send(request)


def leaks(text: str) -> bool:
    return any(part in text for part in ("root:", "/etc/", "/tmp/", "site-packages", "Traceback", "gradio.exceptions"))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("route", ["/gradio_api/file=", "/gradio_api/file/", "/file=", "/static/", "/assets/"])
def test_s1_files_of_the_machine_stay_unread(client: httpx.Client, route: str, name: str) -> None:
    answer = raw_get(client, route + name.replace(" ", "%20"))
    assert answer.status_code in (400, 403, 404)
    assert not leaks(answer.text)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.sampled_from("./\\%2ef:etcpasswd~"), min_size=1, max_size=30))
def test_s1_no_spelling_of_a_path_helps(client: httpx.Client, name: str) -> None:
    answer = raw_get(client, "/gradio_api/file=" + quote(name, safe="/.%:~\\"))
    assert answer.status_code in (400, 403, 404)
    assert not leaks(answer.text)


@pytest.mark.parametrize(
    "path", ["/etc/hostname", "pyproject.toml", "../pyproject.toml", "app.py", "/proc/self/environ"]
)
def test_s2_a_picture_input_takes_no_file_of_the_machine(server: Server, client: httpx.Client, path: str) -> None:
    body = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}]}
    joined = client.post("/gradio_api/call/look", json=body)
    if joined.status_code != 200:
        return
    heard = client.get(f"/gradio_api/call/look/{joined.json()['event_id']}").text
    assert "event: error" in heard
    assert "event: complete" not in heard
    assert not leaks(heard)


@pytest.mark.parametrize("address", ADDRESSES)
def test_s3_no_web_address_is_fetched_in_place_of_a_file(server: Server, client: httpx.Client, address: str) -> None:
    before = server.outgoing()
    assert raw_get(client, "/gradio_api/file=" + address.replace(" ", "%20")).status_code in (400, 403)
    assert server.outgoing() == before == []


@pytest.mark.parametrize(
    "address", ["http://example.org/a.png", " https://example.org/a", "//example.org/a", "data:,x"]
)
@pytest.mark.parametrize("route", ["queue/join", "call/look", "run/look"])
def test_s3_no_web_address_is_fetched_as_an_input(
    server: Server, client: httpx.Client, route: str, address: str
) -> None:
    picture = {"path": address, "meta": {"_type": "gradio.FileData"}}
    for data in ([picture], [{"deep": [[picture]]}]):
        body = {"data": data, "fn_index": 0, "session_hash": "s3"}
        answer = client.post(f"/gradio_api/{route}", json=body)
        assert answer.status_code == 403, answer.text
    assert server.outgoing() == []


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost@evil.example", "", "a b", "1"]
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/config"), ("POST", "/gradio_api/queue/join")])
def test_s4_foreign_host_names_are_refused(client: httpx.Client, method: str, path: str, host: str) -> None:
    answer = client.request(method, path, headers={"Host": host}, json={} if method == "POST" else None)
    assert answer.status_code == 400
    assert "evil" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:{}", "127.0.0.1:{}", "[::1]:{}", "localhost:{}"])
def test_s4_names_of_this_machine_are_answered(server: Server, client: httpx.Client, host: str) -> None:
    assert client.get("/config", headers={"Host": host.format(server.port)}).status_code == 200


def test_s4_a_forwarded_host_is_not_believed(client: httpx.Client) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "X-Gradio-Server": "http://evil.example"}
    for path in ("/config", "/"):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 200
        assert "evil.example" not in answer.text


def test_s4_there_is_no_mcp_server(client: httpx.Client) -> None:
    for path in ("/gradio_api/mcp", "/gradio_api/mcp/", "/gradio_api/mcp/http/", "/gradio_api/mcp/sse"):
        assert client.post(path, json={}).status_code == 404


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://localhost.evil.example", "http://localhost:1"]
)
@pytest.mark.parametrize("host", ["127.0.0.1:{}", "[::1]:{}", "localhost:{}"])
def test_s5_foreign_pages_may_neither_read_nor_write(
    server: Server, client: httpx.Client, host: str, origin: str
) -> None:
    headers = {"Origin": origin, "Host": host.format(server.port), "Cookie": "access-token=x"}
    read = client.get("/config", headers=headers)
    assert not [name for name in read.headers if name.startswith("access-control")]
    request = client.options("/gradio_api/queue/join", headers={**headers, "Access-Control-Request-Method": "POST"})
    assert request.status_code == 403
    assert not [name for name in request.headers if name.startswith("access-control")]
    body = {"data": ["x"], "fn_index": 1, "session_hash": "s5"}
    assert client.post("/gradio_api/queue/join", json=body, headers=headers).status_code == 403
    assert client.post("/gradio_api/upload", files={"files": b"x"}, headers=headers).status_code == 403


def test_s5_plain_text_is_no_json(client: httpx.Client) -> None:
    answer = client.post("/gradio_api/queue/join", content=b'{"data": []}', headers={"content-type": "text/plain"})
    assert answer.status_code == 415


def test_s5_its_own_page_may_write(server: Server, client: httpx.Client) -> None:
    body = {"data": ["x"], "fn_index": 2, "session_hash": "own"}
    answer = client.post("/gradio_api/run/light", json=body, headers={"Origin": server.url})
    assert answer.status_code == 200


ROUTES = [
    "/",
    "/config",
    "/healthz",
    "/theme.css",
    "/favicon.ico",
    "/gradio_api/info",
    "/nothing",
    "/gradio_api/file=x",
]


@pytest.mark.parametrize("path", ROUTES)
def test_s6_every_answer_carries_the_headers(client: httpx.Client, path: str) -> None:
    for answer in (client.get(path), client.head(path), client.post(path), client.get(path, headers={"Host": "evil"})):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
        assert "unsafe-eval" not in answer.headers["content-security-policy"]
        assert not any(digit in answer.headers.get("server", "") for digit in "0123456789")
        assert "x-powered-by" not in answer.headers


HIDDEN = [
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/redoc"),
    ("GET", "/gradio_api/openapi.json"),
    ("GET", "/gradio_api/deep_link?session_hash=x"),
    ("GET", "/?deep_link=abc"),
    ("GET", "/gradio_api/proxy=https://example.org"),
    ("GET", "/monitoring"),
    ("GET", "/gradio_api/runs"),
    ("GET", "/gradio_api/run-history/buckets"),
    ("GET", "/gradio_api/token"),
    ("GET", "/gradio_api/dev/reload"),
    ("POST", "/gradio_api/vibe-edit"),
    ("POST", "/gradio_api/component_server"),
    ("POST", "/gradio_api/process_recording"),
    ("POST", "/gradio_api/api/slow"),
    ("POST", "/gradio_api/call/v2/slow"),
    ("POST", "/api/predict"),
    ("POST", "/run/predict"),
]


@pytest.mark.parametrize(("method", "path"), HIDDEN)
def test_s17_what_is_not_needed_is_not_there(server: Server, client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, path, json={"data": ["x"]} if method == "POST" else None)
    assert answer.status_code in (404, 405)
    assert server.outgoing() == []


def test_s17_no_job_goes_past_the_queue(client: httpx.Client) -> None:
    for body in ({"data": ["x"]}, {"data": ["x"], "fn_index": 1}):
        assert client.post("/gradio_api/run/slow", json=body).status_code == 404
    assert client.post("/gradio_api/run/light", json={"data": ["x"], "fn_index": 1}).status_code == 404


def test_one_range_of_a_file_is_served_and_other_ranges_are_ignored(server: Server, client: httpx.Client) -> None:
    path = client.post("/gradio_api/upload", files={"files": ("a.png", bytes(9000), "image/png")}).json()[0]
    many = "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 6000, 2))
    for ranges, status, size in (
        ("bytes=0-9", 206, 10),
        ("bytes=8000-", 206, 1000),
        ("bytes=-500", 200, 9000),
        ("bytes=0-1,3-4", 200, 9000),
        (many, 200, 9000),
        ("bytes=x-y", 200, 9000),
        ("lines=1-2", 200, 9000),
    ):
        answer = client.get(f"/gradio_api/file={path}", headers={"Range": ranges})
        assert (answer.status_code, len(answer.content)) == (status, size), ranges
    assert client.get(f"/gradio_api/file={path}", headers={"Range": "bytes=9-1"}).status_code < 500
    assert client.get(f"/gradio_api/file={path}", headers={"Range": "bytes=99999-"}).status_code < 500


def test_s19_secrets_of_the_environment_are_in_no_answer(tmp_path: Path) -> None:
    secret = "hf_" + "s3cr3t" * 5
    with running(tmp_path, env={"HF_TOKEN": secret, "OPENAI_API_KEY": secret}) as server:
        with httpx.Client(base_url=server.url, timeout=20, trust_env=False) as client:
            answers = [client.get(path) for path in ("/", "/config", "/gradio_api/info", "/nowhere", "/healthz")]
            event = client.post("/gradio_api/call/look", json={"data": [{"path": "/proc/self/environ"}]}).json()
            answers.append(client.get(f"/gradio_api/call/look/{event['event_id']}"))
        texts = [answer.text + str(answer.headers) for answer in answers]
        texts.append((tmp_path / "stderr.txt").read_text())
    assert not any(secret in text for text in texts)
