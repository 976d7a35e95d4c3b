"""How long a user waits: for `import workbench`, for a served page, and for the first answer of the shipped model.

Each is measured in a fresh process, from outside. `python -m benchmarks.start` also starts cold: from a copy that was
never compiled, with what the system kept of libraries' files given back. On a busy machine trust the processor's
seconds, which others' work changes little.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LIMIT_S = 60.0


def measure(place: Path = ROOT) -> dict[str, Any]:
    """Seconds to import, to a served page, and from there to the first answer about a new picture."""
    script = "import time; t = time.perf_counter(); import workbench; print(time.perf_counter() - t)"
    ask = _client()
    imported = min(float(_python("-c", script)) for _ in range(3)) if place == ROOT else None
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port), "--device", "cpu"],
        cwd=place, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        size = _wait_for(f"http://127.0.0.1:{port}/", started)
        page, computed = time.perf_counter() - started, _processor_seconds(server.pid)
        ask(port)
        answered = time.perf_counter() - started - page
    finally:
        server.terminate()
        server.wait(20)
    times = {"import_s": imported, "page_s": page, "page_processor_s": computed, "first_answer_s": answered}
    return {name: value for name, value in times.items() if value is not None} | {"page_bytes": size}


def cold() -> dict[str, Any]:
    """As `measure`, from a copy without compiled files, and without libraries' files in the system's memory."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "copy"
        for name in ("app.py", "apps", "audits", "workbench"):
            source, target = ROOT / name, place / name
            target.parent.mkdir(exist_ok=True)
            if source.is_file():
                shutil.copyfile(source, target)
            else:
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        for library in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), sysconfig.get_path("stdlib")}:
            for file in Path(library).rglob("*.*"):
                if file.is_file():
                    with file.open("rb") as opened:
                        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return measure(place)


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


def _wait_for(address: str, started: float) -> int:
    """Return the bytes of the page, once it is served."""
    while time.perf_counter() - started < LIMIT_S:
        try:
            with urllib.request.urlopen(address, timeout=5) as page:
                return len(page.read())
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise RuntimeError(f"no page within {LIMIT_S:.0f} s")


def _processor_seconds(process: int) -> float | None:
    """User and system time of a process, where /proc tells it."""
    file = Path(f"/proc/{process}/stat")
    if not file.exists():
        return None
    fields = file.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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


if __name__ == "__main__":
    warm = min((measure() for _ in range(3)), key=lambda one: one["page_s"])
    print(json.dumps({"warm": warm, "cold": cold()}, indent=1))
