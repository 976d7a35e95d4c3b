"""Which addresses of the web server exist for visitors; every other one is answered with 404.

Does not know about bodies and visitors. Gradio has more routes than this workbench needs (proxies, deep
links, direct calls past the queue, editing in the browser), and gains some with each release; so the list names what
is open, not what is shut.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qs, unquote

from apps.serving.refusal import Refused

API = "/gradio_api"
MCP = f"{API}/mcp"  # open where the owner serves agents too
READ = re.compile(
    r"/(config/?|favicon\.ico|theme\.css|robots\.txt|manifest\.json|pwa_icon(/\d+)?|logout|healthz)?"
    r"|/(assets|static|svelte)/[^?]+"
    r"|/gradio_api/(info/?|theme\.css|app_id/?|user/?|login_check/?|startup-events|upload_progress"
    r"|heartbeat/[\w-]{1,64}|queue/(data|status)|call/(v2/)?[\w-]{1,100}/[\w-]{1,64}|file=.+)",
    re.DOTALL,
)
WRITE = re.compile(r"/login/?|/gradio_api/(queue/join|upload|cancel|reset/?|run/[\w-]{1,100}|call/(v2/)?[\w-]{1,100})")
NAMED = re.compile(rf"{API}/call/v2/([\w-]{{1,100}})")  # a call whose arguments have names
RANGE = re.compile(rb"bytes=\d{1,15}-\d{0,15}")  # the one kind of range that gradio serves; others are ignored
DECODINGS = 4  # how often a path may have been percent-encoded


def check_route(method: str, path: str, query: bytes = b"", *, files: Path) -> None:
    """Let pass what the page and the clients of Gradio use.

    Args:
        method: of HTTP.
        path: as ASGI gives it, decoded once, below the root path.
        query: as sent.
        files: the folder that holds uploads and results.

    Raises:
        Refused: 404 for an address that is not open, 405 for the wrong method, 403 for a file that is no upload.
    """
    reading, writing = READ.fullmatch(path), WRITE.fullmatch(path)
    if not reading and not writing:
        raise Refused(404, "There is nothing at this address.")
    if method == "OPTIONS":
        return
    if not (method in ("GET", "HEAD") and reading) and not (method == "POST" and writing):
        raise Refused(405, "This address does not take that method.")
    if b"deep_link" in query:
        raise Refused(404, "Links to other visitors' settings are not kept here.")
    if path.startswith(f"{API}/file="):
        check_file(path.removeprefix(f"{API}/file="), files)


def check_file(name: str, files: Path) -> None:
    """Refuse everything but a file in the folder: web addresses, ways upwards, other places.

    Raises:
        Refused: 403, before any name is looked up or any connection made.
    """
    inside = name.startswith(f"{files}{os.sep}")
    for _ in range(DECODINGS):
        parts = re.split(r"[/\\]", name)
        if not inside or ".." in parts or "\0" in name:
            raise Refused(403, "Only files that were uploaded or made here can be read.")
        once_more = unquote(name)
        if once_more == name:
            return
        name = once_more
    raise Refused(403, "Only files that were uploaded or made here can be read.")


def is_upload(path: str) -> bool:
    """Say whether the body is files, not JSON."""
    return path == f"{API}/upload"


def listens_to(path: str, query: bytes) -> str:
    """Return the page whose stream is asked for, or the id of the job; empty for any other address."""
    if path == f"{API}/queue/data":
        return parse_qs(query.decode("latin-1")).get("session_hash", [""])[0]
    return path.rsplit("/", 1)[-1] if path.startswith(f"{API}/call/") else ""


def shows(path: str) -> str:
    """Return the page whose browser says with this stream that it is still shown; empty for any other address."""
    return path.rsplit("/", 1)[-1] if path.startswith(f"{API}/heartbeat/") else ""


def is_job(path: str) -> bool:
    """Say whether the request puts a job into the queue."""
    return path == f"{API}/queue/join" or path.startswith(f"{API}/call/")
