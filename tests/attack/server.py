"""The server under attack: `python app.py serve` as a process of its own, and what it costs the machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120.0
COMMAND = (sys.executable, "app.py")


@dataclass(frozen=True)
class Server:
    """A running server on a loopback address."""

    model: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    uploads: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def memory(self) -> float:
        """Resident memory in MB."""
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)

    def computing(self) -> float:
        """Seconds of computing since the start, on all processors together."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def threads(self) -> int:
        """Threads of the server."""
        return int(psutil.Process(self.process.pid).num_threads())

    def faults(self) -> int:
        """Errors that no sentence was made for, in its log."""
        return self.log.read_text(errors="replace").count("Traceback")

    def stored(self) -> float:
        """MB in the folders of uploads."""
        return sum(file.stat().st_size for file in self.uploads.rglob("*") if file.is_file()) / 1e6


@contextmanager
def running(
    model: str, *flags: str, before: Sequence[str] = (), variables: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Start the workbench and wait until its model is ready; end it with SIGTERM.

    Args:
        model: key.
        flags: of `serve`, besides model, port and device.
        before: a command that starts it with other rights.
        variables: of its environment.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        log, uploads = Path(folder) / "log.txt", Path(folder) / "uploads"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("GRADIO_", "SPACE"))}
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*before, *COMMAND, "serve", "--port", str(port), "--model", model, "--device", "cpu", *flags],
                cwd=ROOT,
                env={**clean, "GRADIO_TEMP_DIR": str(uploads), "HF_HUB_OFFLINE": "1", **(variables or {})},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_until_ready(port, process, log)
            yield Server(model, port, process, log, uploads)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    with httpx.Client(trust_env=False, timeout=5) as client:
        while time.monotonic() < end and process.poll() is None:
            try:
                if client.get(f"http://127.0.0.1:{port}/healthz").json()["status"] == "ready":
                    return
            except (httpx.HTTPError, ValueError):
                pass
            time.sleep(0.3)
    raise RuntimeError(f"The server did not start:\n{log.read_text(errors='replace')[-2000:]}")
