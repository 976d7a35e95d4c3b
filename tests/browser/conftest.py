"""A real server in a process of its own, and a real Chromium that counts what leaves the machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.chromium import FLAGS, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
START_SECONDS = 120
WAIT_MS = 120_000
# What axe finds in Gradio's own markup, which no theme or label of ours reaches.
UPSTREAM = {
    "aria-prohibited-attr",  # the empty frame of a figure or a picture is a <div> with a label
    "image-redundant-alt",  # the icons in the footer repeat the words beside them
    "nested-interactive",  # the small upload button of a filled gallery or file list holds a file input
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where `python app.py` serves, ready to answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    server = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port), "--device", "cpu"], cwd=ROOT, env=environment
    )
    try:
        _wait(url + "healthz", server)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, "the server ended before it answered"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if b'"ready"' in answer.read():
                    return
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"no server within {START_SECONDS} s")


@pytest.fixture(scope="module")  # Playwright's event loop ends with it: tests of other files open loops of their own
def browser() -> Iterator[Browser]:
    """Chromium, as the machine has it."""
    path = chromium()
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=WAIT_MS)

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=path, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Open the page as one more visitor; afterwards, nothing failed in it and nothing left the machine."""
    contexts, failures = [], []

    def open_page(query: str = "", *, ready: str = "#example-cat", **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: failures.append(f"error in the page: {error}"))
        page.on(
            "request",
            lambda request: failures.append(f"left the machine: {request.url}") if _outside(request.url) else None,
        )
        page.goto(address + query)
        page.locator(ready).wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert failures == []


def both_schemes(page: Page) -> Iterator[str]:
    """Show an open page in light, then in dark, as a system that changes at dusk does."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        until(page, f"document.body.classList.contains('dark') === {str(scheme == 'dark').lower()}")
        yield scheme


def violations(page: Page) -> dict[str, list[str]]:
    """What axe finds, but for what is upstream: rule -> elements; half-faded buttons are shown whole before."""
    from axe_playwright_python.sync_playwright import Axe

    page.add_style_tag(content="* { transition: none !important; animation: none !important }")
    result = Axe().run(page).response["violations"]
    return {one["id"]: [node["html"][:160] for node in one["nodes"]] for one in result if one["id"] not in UPSTREAM}


def answered(page: Page, label: str) -> None:
    """Wait until an image has this answer, and the line that says which model gave it."""
    page.locator("#classify-verdict", has_text=label).wait_for()
    page.locator("#classify-provenance", has_text="Answered by").wait_for()


def emptied(page: Page, box: str) -> None:
    """Take the example out of an image box."""
    page.locator(f"{box} img").wait_for()
    page.locator(box).get_by_role("button", name="Remove Image").click()
    page.locator(f"{box} input[type=file]").wait_for(state="attached")


def open_view(page: Page, name: str) -> None:
    """Open a view from the side list, or from the menu of a narrow screen."""
    menu = page.locator("#navigation .menu")
    page.locator("#navigation a").first.wait_for(state="attached")
    if menu.is_visible():
        menu.click()
    page.locator("#navigation").get_by_role("link", name=name, exact=True).click()


def until(page: Page, expression: str) -> None:
    """Wait until an expression holds in the page; Playwright's own waiting would need eval, which the page forbids."""
    end = time.monotonic() + WAIT_MS / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(100)


def open_tab(page: Page, name: str) -> None:
    """Open an inner tab; on a narrow screen some are in the menu behind the dots."""
    shown = page.get_by_role("tab", name=name, exact=True).locator("visible=true")
    if shown.count():
        shown.first.click()
    else:
        page.locator(".overflow-menu > button:visible").last.click()
        page.locator(".overflow-dropdown button", has_text=name).locator("visible=true").click()


def _outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "data:", "blob:"))
