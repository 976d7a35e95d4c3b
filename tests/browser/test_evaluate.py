"""Evaluate as a visitor sees it: drawings to a table, other shots, label errors decided and exported; on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.browser.conftest import open_view

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Visit = Callable[..., Page]

LONG_MS = 180_000


def test_from_images_to_a_table_and_to_label_errors_on_a_phone(visit: Visit) -> None:
    page = visit(viewport={"width": 390, "height": 844}, color_scheme="dark")
    open_view(page, "Evaluate")
    page.locator("#evaluate-go").click()
    page.locator("#evaluate-table", has_text="zero-shot").wait_for(timeout=LONG_MS)
    page.locator("#evaluate-csv").wait_for(timeout=LONG_MS)
    page.locator("#evaluate-chart .main-svg").first.wait_for()
    assert "by probe" in page.locator("#evaluate-status").inner_text()
    page.locator("#evaluate-shots label", has_text="2").first.click()
    page.locator("#evaluate-table", has_text="2 shots").wait_for()
    page.get_by_role("button", name="Few shots: methods").click()
    page.locator("#adapters-go").click()
    page.locator("#adapters-csv").wait_for(timeout=LONG_MS)
    page.locator("#adapters-chart-0 .main-svg").first.wait_for()
    assert "zero-shot" in page.locator("#adapters-status").inner_text()
    page.locator("#adapters-table", has_text="CLAP").wait_for()
    page.get_by_role("button", name="Sets of answers").click()
    page.locator("#certainty-go").click()
    page.locator("#certainty-flags", has_text="mcm").wait_for(timeout=LONG_MS)
    page.locator("#certainty-sets", has_text="raps").wait_for()
    page.get_by_role("button", name="The paper's figures").click()
    page.locator("#paper-go").click()
    page.locator("#paper-status", has_text="of 1").wait_for(timeout=LONG_MS)
    page.get_by_role("button", name="Probable label errors").click()
    page.locator("#suspects-go").click()
    page.locator("#suspects-status", has_text="labels are suspect").wait_for(timeout=LONG_MS)
    page.locator("#suspects-gallery img").first.wait_for()
    page.locator("#suspects-fix").focus()
    page.keyboard.press("Enter")
    page.locator("#suspects-table", has_text="fix").wait_for()
    with page.expect_download() as saved:
        page.locator("#suspects-csv").click()
    assert "suspects" in saved.value.suggested_filename
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
