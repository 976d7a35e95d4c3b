"""How every view looks: no sideways scrolling on phones, light and dark, and what axe finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tests.browser.conftest import WAIT_MS, answered, both_schemes, open_view, until, violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Visit = Callable[..., Page]

ANSWER = ("#classify-go", "#classify-verdict", "#classify-chart", "#classify-provenance")


def filled(page: Page) -> Iterator[str]:
    """Go through all views, each with an answer in it."""
    from playwright.sync_api import expect

    expect(page.locator("p.loading")).to_have_count(0, timeout=WAIT_MS)
    yield "empty"
    page.locator("#example-cat").click()
    answered(page, "cat")
    page.locator("#classify-chart .bar").first.wait_for()
    for name in ("Template by template", "Reproduce", "Limits of this page"):
        page.get_by_role("button", name=name).click()
    page.locator("#templates-go").click()
    page.locator("#templates-chart .main-svg").first.wait_for()
    yield "one image"
    page.locator("#classify-to-attribution").click()
    page.locator("#attribution-map img").wait_for()
    yield "where it looks"
    open_view(page, "Images × texts")
    page.locator("#matrix-preset").click()
    page.locator("#matrix-chart .main-svg").first.wait_for()
    yield "matrix"
    open_view(page, "Many images")
    page.locator("#many-shipped").click()
    page.locator("#many-files tr").nth(10).wait_for(state="attached")
    page.locator("#many-go").click()
    page.locator("#many-status", has_text="classified").wait_for()
    page.locator("#many-csv").wait_for()
    yield "many"
    open_view(page, "Compare")
    page.locator("#compare-go").wait_for()
    yield "compare"


def test_on_a_phone_the_answer_stands_right_below_the_question(visit: Visit) -> None:
    page = visit(viewport={"width": 390, "height": 844})
    page.locator("#example-cat").click()
    answered(page, "cat")
    tops = [page.locator(one).first.bounding_box() for one in ANSWER]
    templates = page.get_by_label("Prompt templates").locator("visible=true").first.bounding_box()
    heights = [box["y"] for box in (*tops, templates) if box]
    assert len(heights) == 5
    assert heights == sorted(heights)
    assert heights[1] - heights[0] < 100


def test_every_view_fits_a_phone_and_axe_finds_nothing_new(visit: Visit) -> None:
    page = visit()
    new = {}
    for view in filled(page):
        for scheme in both_schemes(page):
            new |= {f"{view}, {scheme}: {rule}": nodes for rule, nodes in violations(page).items()}
        for width in (320, 360):
            page.set_viewport_size({"width": width, "height": 740})
            until(page, f"document.documentElement.scrollWidth <= {width} /* {view} */")  # charts follow soon
        page.set_viewport_size({"width": 1280, "height": 720})
    assert new == {}


def test_dark_is_dark_and_its_figures_are_readable(visit: Visit) -> None:
    page = visit(color_scheme="dark")
    page.locator("#example-cat").click()
    page.locator("#classify-chart th").first.wait_for()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    ink = page.locator("#classify-chart td").first.evaluate("node => getComputedStyle(node).color")
    assert _lightness(ground) < 40
    assert _lightness(ink) > 200


def test_on_dark_what_is_chosen_and_what_has_the_focus_stand_out(visit: Visit) -> None:
    page = visit(color_scheme="dark")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    link = page.locator("#navigation a[aria-current]")
    icon = page.get_by_role("button", name="Upload file").first
    page.keyboard.press("Tab")
    ring = page.locator(":focus-visible").evaluate("node => getComputedStyle(node).outlineColor")
    inks = [*(one.evaluate("node => getComputedStyle(node).color") for one in (link, icon)), ring]
    assert min(_lightness(ink) for ink in inks) > _lightness(ground) + 100  # light's accent is 87 over it


def _lightness(colour: str) -> float:
    channels = [float(part) for part in colour.split("(")[1].rstrip(")").split(",")[:3]]
    return sum(channels) / 3
