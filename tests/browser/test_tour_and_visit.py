"""The tour asks before it shows, and a visit outlives a reload until it is begun afresh."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import WAIT_MS

Visit = Callable[..., Page]


def guess(page: Page, choice: str) -> None:
    page.locator("#tour-guess").get_by_label(choice).click()
    page.locator("#tour-answer b").wait_for()


def test_a_class_takes_the_tour_by_its_link_on_a_phone(visit: Visit) -> None:
    page = visit("?tour=1", viewport={"width": 390, "height": 844})
    expect(page.locator("#tour-text")).to_contain_text("1 of 8", timeout=WAIT_MS)
    assert page.locator("#tour-answer").inner_text() == ""
    guess(page, "It says none fits")
    assert "No." in page.locator("#tour-answer").inner_text()
    expect(page.locator("#classify-verdict")).to_contain_text("rabbit", timeout=WAIT_MS)  # in the view itself
    page.locator("#tour-next").click()
    expect(page.locator("#tour-text")).to_contain_text("2 of 8")
    guess(page, "All five")
    expect(page.locator("#matrix-verdict")).to_contain_text("5 of 5", timeout=WAIT_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#tour-leave").click()
    expect(page.locator("#tour-take")).to_have_text("Go on with the tour")


def test_a_visit_outlives_a_reload_until_it_begins_afresh(visit: Visit) -> None:
    page = visit()
    page.locator("#example-motorcycle").click()
    expect(page.locator("#classify-verdict")).to_contain_text("motorcycle", timeout=WAIT_MS)
    page.locator("#classify-labels textarea").fill("dragon, motorcycle")
    page.wait_for_timeout(2500)  # what is typed is kept a moment later
    page.reload()
    expect(page.locator("#classify-labels textarea")).to_have_value("dragon, motorcycle", timeout=WAIT_MS)
    expect(page.locator("#classify-verdict")).to_contain_text("motorcycle", timeout=WAIT_MS)
    expect(page.locator("#classify-table")).to_contain_text("dragon", timeout=WAIT_MS)
    page.locator("#visit-afresh").click()
    expect(page.locator("#classify-labels textarea")).not_to_have_value("dragon, motorcycle", timeout=WAIT_MS)
