"""The map: draw it, lasso some points, list them; from the keyboard, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.browser.conftest import open_view

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_a_visitor_draws_a_map_and_a_lasso(visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 390, "height": 844}, color_scheme="dark")
    open_view(page, "Map")
    page.locator("#map-shipped").click()
    page.locator("#map-files", has_text="drawn-pig").wait_for()
    page.locator("#map-go").click()
    page.locator("#map-status", has_text="Modality gap").wait_for()
    canvas = page.locator("canvas.map[data-ready]")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    for across, down in ((0.6, 0.01), (0.6, 0.99), (0.01, 0.99)):
        page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * down, steps=4)
    page.mouse.up()
    numbers = page.locator("#map-chosen").locator("textarea, input").input_value().split(",")
    assert 0 < len(numbers) < 23
    page.locator("#map-table", has_text=f"Chosen points: {len(numbers)} of 23").wait_for()
    canvas.focus()
    page.keyboard.press("Enter")
    page.locator("#map-table", has_text="Chosen points: 23 of 23").wait_for()
    assert len(page.locator("#map-chosen").locator("textarea, input").input_value().split(",")) == 23
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#map-by input").click()
    page.get_by_role("option", name="cluster", exact=True).click()
    page.locator("#map-clusters", has_text="by chance").locator("visible=true").first.wait_for()
    page.locator(".map-legend", has_text="1: ").wait_for()
    page.locator("#map-to-evaluate").click()
    page.locator("#evaluate-sent", has_text="18 images from another view").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
