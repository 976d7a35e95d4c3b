"""The map: draw it, lasso some points, list them; from the keyboard, too; two fingers zoom."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING

from tests.browser.conftest import open_view

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def drawn_map(page: Page) -> Locator:
    """Map the shipped images; return the canvas, in sight."""
    open_view(page, "Map")
    page.locator("#map-shipped").click()
    page.locator("#map-files", has_text="drawn-pig").wait_for()
    page.locator("#map-go").click()
    page.locator("#map-status", has_text="Modality gap").wait_for()
    canvas = page.locator("canvas.map[data-ready]")
    canvas.scroll_into_view_if_needed()
    return canvas


def test_a_visitor_draws_a_map_and_a_lasso(visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 390, "height": 844}, color_scheme="dark")
    canvas = drawn_map(page)
    box = canvas.bounding_box()
    assert box is not None
    near = canvas.get_attribute("data-near")
    for row, column in product(range(0, 420, 8), range(0, int(box["width"]), 8)):  # until the pointer meets a point
        page.mouse.move(box["x"] + column, box["y"] + row)
        if near := canvas.get_attribute("data-near"):
            break
    assert near in page.locator("#map-table").inner_text()
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


def test_two_fingers_zoom_the_map(visit: Callable[..., Page]) -> None:
    """At twice the size, the whole map holds the points that its middle held."""
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True)
    canvas = drawn_map(page)
    middle, whole = lassoed(page, canvas, 0.25), lassoed(page, canvas, 0.0)
    assert 0 < len(middle) < len(whole) == 23
    pinch(page, canvas, (30, 60))
    assert lassoed(page, canvas, 0.0) == middle
    pinch(page, canvas, (60, 10))
    assert lassoed(page, canvas, 0.0) == whole


def lassoed(page: Page, canvas: Locator, margin: float) -> set[str]:
    """Draw a lasso along the edge of the map, or a share of its sides inside, with one finger; return what it holds."""
    box, touch = canvas.bounding_box(), page.context.new_cdp_session(page)
    assert box is not None
    across, down = (max(1.0, margin * box[side]) for side in ("width", "height"))
    left, right = box["x"] + across, box["x"] + box["width"] - across
    top, bottom = box["y"] + down, box["y"] + box["height"] - down
    held = page.locator("#map-chosen").locator("textarea, input")
    for at, (x, y) in enumerate(((left, top), (right, top), (right, bottom), (left, bottom))):
        kind = "touchMove" if at else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    return set(held.input_value().split(","))


def pinch(page: Page, canvas: Locator, apart: tuple[float, float]) -> None:
    """Move two fingers from a distance to another, both in pixels from the middle of the map."""
    box, touch = canvas.bounding_box(), page.context.new_cdp_session(page)
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    steps = [apart[0] + (apart[1] - apart[0]) * share for share in (0, 0.3, 0.7, 1)]
    for at, away in enumerate(steps):
        fingers = [{"x": x - away, "y": y, "id": 1}, {"x": x + away, "y": y, "id": 2}]
        kind = "touchMove" if at else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
