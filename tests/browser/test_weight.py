"""The first page stays light: what a browser that was never here has to fetch, and how soon a view is there (U3)."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser.conftest import open_view

MOST_SENT = 900_000  # bytes over the wire of a first visit, all files together; 650,000 on 26 November 2026
MOST_AGAIN = 200_000  # of a second visit, where the browser has kept the files
MOST_FILES = 180
SWITCH_SECONDS = 5.0  # to the first look at another view, on a machine with other work; 0.3 s were measured
SENT = """() => {
    const all = [...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')];
    return [all.length, all.reduce((sum, one) => sum + one.transferSize, 0)];
}"""


def test_u3_the_first_visit_is_light_and_the_second_lighter(visit: Callable[..., Page]) -> None:
    page = visit()
    page.wait_for_timeout(1500)
    files, sent = page.evaluate(SENT)
    assert files < MOST_FILES
    assert 84_000 < sent < MOST_SENT
    begun = time.monotonic()
    open_view(page, "Search images")
    page.locator("#navigation a[aria-current]", has_text="Search images").wait_for()
    assert time.monotonic() - begun < SWITCH_SECONDS
    page.reload()
    page.locator("#example-cat").or_(page.locator("#navigation a[aria-current]")).first.wait_for()
    page.wait_for_timeout(1500)
    assert page.evaluate(SENT)[1] < MOST_AGAIN
