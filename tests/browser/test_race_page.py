"""The race as a class sees it: it runs, stops, turns a dial, steps by keyboard, and fits a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.browser.conftest import both_schemes, open_view, violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Visit = Callable[..., Page]


RACE_MS = 180_000  # for a short race, on a machine that is busy with other tests


def begin(page: Page, images: int, question: str = "Objectives") -> None:
    open_view(page, "Why contrastive?")
    page.locator("#race-question label", has_text=question).click()
    for label, value in (("Images", images), ("Seeds", 1)):
        box = page.locator(".block", has_text=label).locator("input[type=number]").first
        box.fill(str(value))
        box.press("Tab")
    page.locator("#race-go").click()


def test_a_race_says_who_is_ahead_in_words_a_chart_and_tables(visit: Visit) -> None:
    page = visit()
    begin(page, 1024)
    page.locator("#race-verdict", has_text="left").wait_for()
    page.locator("#race-verdict", has_text="After 1,024 images").wait_for(timeout=RACE_MS)
    page.locator("#race-chart .main-svg").first.wait_for()
    page.locator("#race-results", has_text="Masked word").wait_for()
    page.locator("#race-answers", has_text="star").wait_for()
    with page.expect_download() as csv:
        page.locator("#race-csv").click()
    assert csv.value.path().read_text().startswith("runner,seed,images,seconds,accuracy,loss\n")
    with page.expect_download() as figure:
        page.locator("#race-svg").click()
    assert "<svg" in figure.value.path().read_text()


def test_it_stops_at_once_and_a_dial_starts_after_it(visit: Visit) -> None:
    page = visit()
    begin(page, 16_000)
    page.locator("#race-verdict", has_text="measurements").wait_for(timeout=RACE_MS)
    page.locator("#race-stop").click()
    page.locator("#race-verdict", has_text="Stopped").wait_for()
    begin(page, 1024, "Learning rate")
    page.locator("#race-results", has_text="constant rate").wait_for(timeout=RACE_MS)


def test_one_batch_steps_by_keyboard_on_a_phone(visit: Visit) -> None:
    page = visit(viewport={"width": 360, "height": 740})
    open_view(page, "Why contrastive?")
    page.locator("#race-slow button").first.click()
    page.locator("#race-slow-go").click()
    text = page.locator("#race-frame-text")
    page.locator("#race-frame-text", has_text="1 of 6").wait_for()
    towers = page.locator("#race-towers img")
    towers.nth(1).wait_for()
    assert [one.get_attribute("alt").split(" ")[0] for one in towers.all()] == ["Drawings", "The"]
    page.locator("#race-frame input[type=range]").focus()
    for frame in range(2, 7):
        page.keyboard.press("ArrowRight")
        page.locator("#race-frame-text", has_text=f"{frame} of 6").wait_for()
    assert "after the step" in text.inner_text()
    page.locator("#race-frame-chart .main-svg[role=img][aria-label^='Matrix of six']").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert {scheme: violations(page) for scheme in both_schemes(page)} == {"light": {}, "dark": {}}
