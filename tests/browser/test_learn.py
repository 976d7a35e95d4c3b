"""The Learn tab as a class sees it: it learns, it stops at once, two learn side by side, a phone needs no scrolling."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.browser.conftest import answered, both_schemes, open_view, violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Visit = Callable[..., Page]


LESSON_MS = 180_000  # for a hundred steps, on a machine that is busy with other tests


def begin(page: Page, steps: int, batch: int = 64) -> None:
    open_view(page, "Train a small CLIP")
    for label, value in (("Steps", steps), ("Batch size", batch)):
        box = page.locator(".block", has_text=label).locator("input[type=number]").first
        box.fill(str(value))
        box.press("Tab")
    page.locator("#learn-go").click()


def done(page: Page) -> None:
    page.locator("#learn-verdict", has_text="after 100 steps").wait_for(timeout=LESSON_MS)


def test_it_learns_and_says_so_in_words_figures_and_tables_that_fit_a_phone(visit: Visit) -> None:
    page = visit(viewport={"width": 360, "height": 740})
    begin(page, 100)
    page.locator("#learn-explained button").first.click()
    done(page)
    page.locator("#learn-matrix .main-svg").first.wait_for()
    page.locator("#learn-curves .main-svg").first.wait_for()
    assert "n = 192" in page.locator("#learn-verdict").inner_text()
    assert "large orange circle" in page.locator("#learn-pairs").inner_text()
    assert "14." in page.locator("#learn-course").inner_text()
    assert "a large orange circle" in (page.locator("#learn-drawings img").get_attribute("alt") or "")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert {scheme: violations(page) for scheme in both_schemes(page)} == {"light": {}, "dark": {}}


def test_it_stops_and_begins_again_while_another_visitor_asks(visit: Visit) -> None:
    page, other = visit(), visit()
    begin(page, 1000, 128)
    page.locator("#learn-status", has_text="Step").wait_for()
    other.locator("#example-cat").click()
    answered(other, "cat")
    begin(other, 1000, 128)
    other.locator("#learn-status", has_text="Step").wait_for()
    for one in (page, other):
        one.locator("#learn-stop").click()
        one.locator("#learn-verdict", has_text="Stopped").wait_for()
    begin(page, 100, batch=8)
    done(page)
