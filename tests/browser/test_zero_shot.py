"""Flows of the zero-shot tab as visitors take them: mouse, keyboard, phone, dark, wrong files, two at once, stop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Visit = Callable[..., Page]

PHONE = {"viewport": {"width": 360, "height": 760}}

# What axe finds in Gradio's own markup, which no theme or label of ours reaches.
UPSTREAM = {
    "aria-prohibited-attr",  # labels on the empty placeholders of figures and tables
    "scrollable-region-focusable",  # the scrolling body of gr.Dataframe
    "nested-interactive",  # the drop zone of gr.Image holds a file input
    "aria-required-children",  # header and body of gr.Dataframe
    "empty-table-header",  # the hidden measuring table of gr.Dataframe
}


def answered(page: Page, label: str) -> None:
    page.locator(".verdict", has_text=label).first.wait_for()
    page.locator("#one-provenance", has_text="Answered by").wait_for()


def test_an_example_is_named_by_mouse_with_chart_and_table(visit: Visit) -> None:
    page = visit()
    page.locator("#example-coffee").click()
    answered(page, "coffee cup")
    page.locator("#one-chart .main-svg").first.wait_for()
    assert "coffee cup" in page.locator("#one-table").inner_text()
    assert "Pocket" in page.locator("#one-provenance").inner_text()
    assert page.title() == "CLIP Workbench"


def test_an_example_is_named_by_keyboard_alone(visit: Visit) -> None:
    page = visit()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "example-rocket":
            break
    else:
        raise AssertionError("the example was not reached with the Tab key")
    page.keyboard.press("Enter")
    answered(page, "rocket")


def test_a_wrong_file_and_no_label_get_a_clear_message(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and then nothing that is a picture")
    page.locator("#one-go").click()
    page.get_by_text("Choose a picture first").wait_for()
    page.locator("#one-picture input[type=file]").set_input_files(str(broken))
    page.wait_for_timeout(1500)
    page.locator("#one-go").click()
    page.get_by_text("broken.png").last.wait_for()
    page.locator("#one-labels textarea").fill("  ")
    page.locator("#one-go").click()
    page.get_by_text("Type at least one label").wait_for()


def test_two_visitors_at_once_get_their_own_answers(visit: Visit) -> None:
    first, second = visit(), visit()
    first.locator("#example-cat").click()
    second.locator("#example-motorcycle").click()
    answered(first, "cat")
    answered(second, "motorcycle")


def test_where_it_looked_and_the_opacity(visit: Visit) -> None:
    page = visit()
    page.locator("#example-cat").click()
    answered(page, "cat")
    page.locator("#where-go:not([disabled])").click()
    page.locator("#where-map img").wait_for()
    assert "%" in page.locator("#where-shares").inner_text()
    before = page.locator("#where-map img").get_attribute("src")
    page.get_by_label("number input for Opacity").fill("0.1")
    page.keyboard.press("Tab")
    page.wait_for_function(f"document.querySelector('#where-map img').src !== {before!r}")


def test_a_map_under_way_can_be_stopped_and_the_next_question_is_answered(visit: Visit) -> None:
    page = visit()
    page.locator("#example-cat").click()
    answered(page, "cat")
    page.get_by_label("Occlusion").check()
    page.locator("#where-go:not([disabled])").click()
    page.locator("#where-status", has_text=" of ").wait_for()
    page.locator("#where-stop").click()
    page.locator("#where-status", has_text="Stopped").wait_for()
    page.wait_for_timeout(1500)
    assert "Stopped" in page.locator("#where-status").inner_text()
    assert page.locator("#where-map img").count() == 0
    page.locator("#example-coffee").click()
    answered(page, "coffee cup")


def test_templates_are_compared(visit: Visit) -> None:
    page = visit()
    page.locator("#example-cat").click()
    answered(page, "cat")
    page.get_by_role("button", name="Template by template").click()
    page.locator("#templates-go").click()
    page.locator("#templates-chart .main-svg").first.wait_for()
    assert "itap of a {}." in page.locator("#templates-table").inner_text()


def test_two_pictures_are_compared(visit: Visit) -> None:
    from workbench.pictures import sample_path

    page = visit()
    page.get_by_role("tab", name="Compare").click()
    page.get_by_label("Two pictures, one model").check()
    for place, key in (("#compare-a", "cat"), ("#compare-b", "coffee")):
        page.locator(f"{place} input[type=file]").set_input_files(str(sample_path(key)))
        page.locator(f"{place} img").wait_for()
    page.locator("#compare-go").click()
    page.get_by_text("They disagree").wait_for()


def test_an_address_restores_its_settings(visit: Visit) -> None:
    page = visit("?v=1&model=pocket&labels=zebra%2C%22a%2C+b%22&templates=seven&none=1&picture=cat")
    page.wait_for_function("document.querySelector('#one-labels textarea').value.includes('zebra')")
    page.locator("#one-picture img").wait_for()
    page.locator("#one-go").click()
    page.locator("#one-table", has_text="none of these").wait_for()


@pytest.mark.parametrize("options", [PHONE, {**PHONE, "color_scheme": "dark"}])
def test_a_phone_needs_no_sideways_scrolling(visit: Visit, options: dict[str, Any]) -> None:
    page = visit(**options)
    page.locator("#example-cat").click()
    answered(page, "cat")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_new(visit: Visit, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = visit(color_scheme=scheme)
    page.locator("#example-cat").click()
    answered(page, "cat")
    page.wait_for_timeout(1000)
    found = Axe().run(page).response["violations"]
    new = {
        entry["id"]: [node["html"][:160] for node in entry["nodes"]] for entry in found if entry["id"] not in UPSTREAM
    }
    assert new == {}
