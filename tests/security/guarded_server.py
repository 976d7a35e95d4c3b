"""Start the small guarded server as a process of its own, and look at what it does."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[2]
SMALL = Path(__file__).with_name("small_server.py")
CLOSED = ("GRADIO_", "HF_", "SPACE")  # variables that the server has to do without


@dataclass
class Server:
    """A running server and what it does besides answering."""

    port: int
    hook: Path
    process: subprocess.Popen[str]
    uploads: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def outgoing(self) -> list[str]:
        """Names looked up and places connected to, this machine apart."""
        lines = self.hook.read_text(encoding="utf-8").splitlines()
        own = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "local", "None")
        return [line for line in lines if line.split(" ", 1)[1] not in own]

    def memory(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def stored(self) -> int:
        """Bytes in the folder of uploads."""
        return sum(file.stat().st_size for file in self.uploads.rglob("*") if file.is_file())


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, env: dict[str, str] | None = None, **flags: Any) -> Iterator[Server]:
    """Start the small server, wait until it answers, and stop it with SIGTERM at the end."""
    port, hook = free_port(), folder / "hook.txt"
    hook.touch()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(CLOSED)}
    with (folder / "stderr.txt").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, str(SMALL), str(port), str(hook), json.dumps(flags)],
            cwd=ROOT,
            env={**clean, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **(env or {})},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "stderr.txt").read_text()
        yield Server(port, hook, process, Path(json.loads(line)["uploads"]))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=15)
        assert process.stdout is not None
        process.stdout.close()


def timed(client: httpx.Client, method: str, path: str, **more: Any) -> tuple[httpx.Response, float]:
    """Ask, and say how many seconds the answer took."""
    begun = time.perf_counter()
    answer = client.request(method, path, **more)
    return answer, time.perf_counter() - begun
