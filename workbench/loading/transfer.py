"""Fetch one file over HTTP: go on where a broken one stopped, tell the progress, stop when asked.

Not huggingface_hub's own download: since its version 2, that begins a broken file anew.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from pathlib import Path

from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status  # type: ignore[attr-defined]

from workbench.errors import Cancelled, WeightsRefused

ATTEMPTS = 5  # broken connections in a row without a single byte
PAUSE = 0.5  # seconds before the next attempt, times its number


class Broken(Exception):
    """The connection broke, again and again."""


def fetch(url: str, to: Path, size: int, *, arrived: Callable[[int], None], cancelled: Callable[[], bool]) -> None:
    """Bring a file to its full size; what is there already is kept and continued.

    Args:
        url: where the file lies.
        to: the unfinished file; may exist.
        size: its full size in bytes.
        arrived: called with the bytes that are there, after each chunk.
        cancelled: asked before each chunk.

    Raises:
        Cancelled: `cancelled` said so; what has come is kept.
        Broken: the connection could not be held.
        WeightsRefused: the server sends more than it announced.
    """
    failures = 0
    while (have := to.stat().st_size if to.exists() else 0) < size:
        try:
            _go_on(url, to, size, arrived=arrived, cancelled=cancelled)
        except transport_errors() as error:
            came = (to.stat().st_size if to.exists() else 0) > have
            failures = 1 if came else failures + 1
            if failures >= ATTEMPTS:
                raise Broken(str(error) or type(error).__name__) from None
            _wait(PAUSE * failures, cancelled)
    if not to.exists():
        to.touch()  # a file of no bytes
    if to.stat().st_size > size:
        to.unlink()
        raise WeightsRefused(f"The server sent more than the {size:,} bytes that it announced for {to.name}.")


def transport_errors() -> tuple[type[Exception], ...]:
    """Return what a broken connection raises; huggingface_hub speaks through httpx, some versions through httpx2."""
    module = importlib.import_module(type(get_session()).__module__.partition(".")[0])
    return (module.TransportError,)


def _go_on(url: str, to: Path, size: int, *, arrived: Callable[[int], None], cancelled: Callable[[], bool]) -> None:
    have = to.stat().st_size if to.exists() else 0
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    if cancelled():
        raise Cancelled("Download stopped. What has arrived is kept; the same command resumes it.")
    with get_session().stream("GET", url, headers=headers, follow_redirects=True, timeout=30) as response:
        hf_raise_for_status(response)
        have = have if response.status_code == 206 else 0  # the whole file comes again
        with to.open("r+b" if have else "wb") as opened:
            opened.seek(have)
            for chunk in response.iter_bytes():
                opened.write(chunk)
                have += len(chunk)
                arrived(min(have, size))
                if have > size:
                    return
                if cancelled():
                    raise Cancelled("Download stopped. What has arrived is kept; the same command resumes it.")


def _wait(seconds: float, cancelled: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if cancelled():
            raise Cancelled("Download stopped. What has arrived is kept; the same command resumes it.")
        time.sleep(0.05)
