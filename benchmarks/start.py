"""How long a user waits: for `import workbench`, for a served page, and for the first answer of the shipped model.

Each is measured in a fresh process, from outside.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LIMIT_S = 60.0


def measure() -> dict[str, Any]:
    """Seconds to import, to a served page, and from there to the first answer about a new picture."""
    script = "import time; t = time.perf_counter(); import workbench; print(time.perf_counter() - t)"
    ask = _client()
    imported = min(float(_python("-c", script)) for _ in range(3))
    port = _free_port()
    started = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port), "--device", "cpu"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/", started)
        page = time.perf_counter() - started
        ask(port)
        answered = time.perf_counter() - started - page
    finally:
        server.terminate()
        server.wait(20)
    return {"import_s": imported, "page_s": page, "first_answer_s": answered}


def _client() -> Callable[[int], object]:
    """Return what asks the page's API about a photo; its imports are done beforehand."""
    import skimage
    from gradio_client import Client, handle_file

    photo = str(Path(skimage.__file__).parent / "data" / "chelsea.png")
    words = ["cat", "dog", "coffee cup", "rocket", "tree"]

    def ask(port: int) -> object:
        client = Client(f"http://127.0.0.1:{port}/", verbose=False)
        return client.predict(handle_file(photo), words, api_name="/classify")

    return ask


def _wait_for(address: str, started: float) -> None:
    while time.perf_counter() - started < LIMIT_S:
        try:
            with urllib.request.urlopen(address, timeout=5) as page:
                page.read()
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise RuntimeError(f"no page within {LIMIT_S:.0f} s")


def _python(*arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
