"""A hub on this machine: the three endpoints that a download uses, with faults on request."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "someone/tiny_clip.model"  # with a dot, as some names have


@dataclass
class Hub:
    """What the server holds, what it was asked, and how it misbehaves."""

    files: dict[str, bytes]
    cut_after: dict[str, list[int]] = field(default_factory=dict)  # per file: bytes sent before the line breaks
    lie: dict[str, bytes] = field(default_factory=dict)  # per file: what is sent instead
    ignore_range: bool = False
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # path, Range
    url: str = ""

    def listing(self) -> dict[str, object]:
        """Answer as /api/models/REPO/revision/COMMIT?blobs=true does."""
        siblings = []
        for name, content in self.files.items():
            blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            entry: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": blob}
            if name.endswith((".safetensors", ".bin")):
                entry["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
            siblings.append(entry)
        return {"id": REPO, "modelId": REPO, "sha": COMMIT, "siblings": siblings, "tags": [], "private": False}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: Hub) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.hub = hub


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        hub, path = self.server.hub, self.path.partition("?")[0]
        hub.requests.append((path, self.headers.get("Range")))
        if path == f"/api/models/{REPO}/revision/{COMMIT}":
            self._json(hub.listing())
        elif path == f"/api/models/{REPO}/commits/main":
            self._json([{"id": COMMIT, "title": "t", "message": "", "authors": [], "date": "2024-01-01T00:00:00.000Z"}])
        elif path.startswith(f"/{REPO}/resolve/{COMMIT}/"):
            self._file(hub, path.rpartition("/")[2])
        else:
            self._json({"error": "no"}, 404)

    def _json(self, what: object, status: int = 200) -> None:
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _file(self, hub: Hub, name: str) -> None:
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and not hub.ignore_range else 0
        body = hub.lie.get(name, hub.files[name])[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cuts = hub.cut_after.get(name)
        if cuts:
            body = body[: cuts.pop(0)]
            self.close_connection = True
        self.wfile.write(body)


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve on a free port of the loopback."""
    with _Server(hub) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        hub.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
