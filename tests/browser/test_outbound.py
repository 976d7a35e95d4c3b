"""Nothing leaves the machine: a tour of all tabs, a hook on the server's sockets, a browser that counts (S21)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import WAIT_MS

pytestmark = [pytest.mark.browser, pytest.mark.heavy]

ROOT = Path(__file__).resolve().parents[2]
OWN = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "local", "None")
OPENING = ("GRADIO_", "HF_", "SPACE", "DISABLE_TELEMETRY", "NO_PROXY", "no_proxy")


@dataclass
class App:
    """The running workbench."""

    url: str
    hook: Path
    seconds: float  # from the start of the process to the page

    def outgoing(self) -> list[str]:
        lines = self.hook.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line.split(" ", 1)[1] not in OWN]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Start the workbench without a variable that could keep Gradio quiet, and with a proxy that never answers."""
    folder = tmp_path_factory.mktemp("app")
    hook = folder / "hook.txt"
    hook.touch()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if not name.startswith(OPENING)}
    env |= {"PYTHONPATH": str(ROOT), "HTTP_PROXY": "http://192.0.2.1:9", "HTTPS_PROXY": "http://192.0.2.1:9"}
    begun = time.perf_counter()
    with (folder / "stderr.txt").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("hooked_app.py")), str(port), str(hook)],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url, (folder / "stderr.txt").read_text()
        yield App(url, hook, time.perf_counter() - begun)
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(timeout=60)
        process.stdout.close()
    assert status == 0
    assert "Traceback" not in (folder / "stderr.txt").read_text()


@dataclass
class Seen:
    """What a browser did besides showing the page."""

    foreign: list[str] = field(default_factory=list)  # requests to anything but this machine
    refused: list[str] = field(default_factory=list)  # answers of our server from 400 on
    errors: list[str] = field(default_factory=list)  # scripts that broke, and what the policy stopped


@pytest.fixture
def page(app: App, browser: Browser) -> Iterator[tuple[Page, Seen]]:
    seen = Seen()
    context = browser.new_context()
    opened = context.new_page()
    opened.on(
        "request",
        lambda sent: None if _own(sent.url) else seen.foreign.append(sent.url),
    )
    opened.on(
        "response",
        lambda got: seen.refused.append(f"{got.status} {got.url}") if got.status >= 400 else None,
    )
    opened.on("pageerror", lambda error: seen.errors.append(str(error)))
    opened.on(
        "console",
        lambda message: seen.errors.append(message.text) if "Content Security Policy" in message.text else None,
    )
    opened.set_default_timeout(WAIT_MS)
    opened.goto(app.url)
    yield opened, seen
    context.close()


def _own(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob") or parts.hostname in ("127.0.0.1", "localhost")


def test_s21_a_tour_of_the_whole_page_sends_nothing_out(app: App, page: tuple[Page, Seen]) -> None:
    opened, seen = page
    links = opened.locator("#navigation a")
    links.first.wait_for()
    for link in links.all():
        link.click()
        opened.wait_for_timeout(500)
    opened.locator("#navigation").get_by_role("link", name="Audits").click()
    visited: set[str] = set()
    for _ in range(100):  # a tab may hold tabs, which are drawn when it is first opened
        fresh = [tab for tab in opened.get_by_role("tab").all() if tab.is_visible() and _place(tab) not in visited]
        if not fresh:
            break
        visited.add(_place(fresh[0]))
        fresh[0].click()
        opened.wait_for_timeout(300)
    assert len(visited) >= 3
    opened.locator("#navigation a").first.click()
    opened.locator("#example-cat").click()
    opened.locator("#classify-image img").first.wait_for()
    opened.locator("#classify-go").click()
    opened.locator("#classify-chart .bar").first.wait_for()
    assert "cat" in opened.locator("#classify-table").inner_text()
    for dark in ("?__theme=dark", "?view=api"):
        opened.goto(app.url + dark)
        opened.wait_for_timeout(1500)
    assert seen.foreign == []
    assert seen.errors == []
    assert [line for line in seen.refused if "favicon" not in line] == []
    assert app.outgoing() == []


def _place(tab: object) -> str:
    return str(tab.get_attribute("id") or tab.inner_text())  # type: ignore[attr-defined]
