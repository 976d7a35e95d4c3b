"""The neurons view in a browser: search, open a unit, switch it off, see answers change; phone and dark."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.conftest import open_tab, open_view
from tests.workbench.neurons.taught_units import taught

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Visit = Callable[..., Page]


def test_search_open_and_switch_off_with_the_keyboard(visit: Visit) -> None:
    page = visit()
    open_view(page, "Neurons")
    concept = page.locator("#neurons-concept input, #neurons-concept textarea").first
    concept.fill("cat")
    concept.press("Enter")
    page.locator("#neurons-found [role=gridcell]", has_text=str(taught("cat"))).first.click()
    page.locator("#neurons-status", has_text=f"Unit {taught('cat')}: cat").wait_for()
    page.locator("#neurons-page img[alt='the word “cat”']").first.wait_for()
    section = page.locator("#neurons-page summary", has_text="Images over the whole range")
    section.focus()
    section.press("Enter")
    page.locator("#neurons-page", has_text="exactly 0").wait_for()
    open_tab(page, "Map of all units")
    page.locator("#neurons-map-go").click()
    canvas = page.locator("#neurons-map canvas.unit-map[data-ready]")
    canvas.wait_for()
    canvas.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    name = page.locator("#neurons-map .map-name").inner_text().split(":")[0]
    assert name.startswith("unit ")
    page.keyboard.press("Enter")
    page.locator("#neurons-status", has_text=name.capitalize()).wait_for()
    open_tab(page, "Switch units off")
    units = page.locator("#neurons-off input, #neurons-off textarea").first
    units.fill(f"{taught('cat')}, {taught('koala')}, 0")
    units.press("Enter")
    page.locator("#neurons-switched", has_text="without a forward pass").wait_for()


def test_a_unit_is_painted_taken_away_and_stopped(visit: Visit) -> None:
    page = visit()
    open_view(page, "Neurons")
    page.locator("#neurons-go").click()
    page.locator("#neurons-json").wait_for()
    with page.expect_download() as file:
        page.locator("#neurons-html").click()
    assert "default-src 'none'" in file.value.path().read_text(encoding="utf-8")
    open_tab(page, "What would it respond to most?")
    steps = page.locator("#neurons-paint-steps input[type=number]")
    for count, status in (("8", "activation up to"), ("400", "steps/s")):
        steps.fill(count)
        steps.press("Tab")
        page.locator("#neurons-paint-go").click()
        page.locator("#neurons-paint-status", has_text=status).wait_for(timeout=120_000)
    alt = page.locator("#neurons-painted img").get_attribute("alt") or ""
    assert alt.startswith(f"3 images painted for unit {page.locator('#neurons-unit input').input_value()}")
    page.locator("#neurons-paint-stop").click()
    page.locator("#neurons-paint-status", has_text="Stopped").wait_for()


def test_a_units_address_on_a_dark_phone(visit: Visit) -> None:
    page = visit(viewport={"width": 390, "height": 800}, color_scheme="dark")
    page.goto(page.url.split("#")[0] + f"?unit=conv_head/{taught('jellyfish')}#neurons")
    expect(page.locator("#neurons-unit input")).to_have_value(str(taught("jellyfish")), timeout=60_000)
    page.locator("#neurons-go").click()
    page.locator("#neurons-status", has_text=f"Unit {taught('jellyfish')}: jellyfish").wait_for()
    page.locator("#neurons-page img").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
