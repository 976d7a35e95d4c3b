"""One picture as visitors ask about it: mouse, keyboard, wrong files, two at once, a map, stop."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.conftest import WAIT_MS, answered

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Visit = Callable[..., Page]


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
        if page.evaluate("document.activeElement.id") == "example-cat":
            break
    else:
        raise AssertionError("the example was not reached with the Tab key")
    page.keyboard.press("Enter")
    answered(page, "cat")


def test_a_wrong_file_and_no_label_get_a_clear_message(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and then nothing that is a picture")
    page.locator("#one-go").click()
    page.get_by_text("Choose a picture first").wait_for()
    page.locator("#one-picture input[type=file]").set_input_files(str(broken))
    page.locator("#one-picture img[src*='broken']").wait_for(state="attached")  # the upload has arrived
    page.locator("#one-go").click()
    page.locator("[data-testid=toast-body]", has_text="broken.png").wait_for()
    assert "Traceback" not in page.locator("body").inner_text()


def test_what_cannot_be_answered_takes_an_older_answer_away(visit: Visit) -> None:
    page = visit()
    page.locator("#example-cat").click()
    answered(page, "cat")
    assert "cat" in page.locator("#one-table").inner_text()
    page.locator("#one-labels textarea").fill("  ")
    page.locator("#one-go").click()
    page.get_by_text("Type at least one label").wait_for()
    page.locator(".verdict", has_text="No answer this time").first.wait_for()
    page.wait_for_function("!document.querySelector('#one-table').innerText.includes('cat')")
    page.wait_for_function("!document.querySelector('#one-chart .main-svg')")


def test_two_visitors_at_once_get_their_own_answers(visit: Visit) -> None:
    first, second = visit(), visit()
    first.locator("#example-cat").click()
    second.locator("#example-motorcycle").click()
    answered(first, "cat")
    answered(second, "motorcycle")


def test_where_it_looked_and_the_opacity(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit()
    page.locator("#example-cat").click()
    answered(page, "cat")
    page.locator("#where-go:not([disabled])").click()
    page.locator("#where-map img").wait_for()
    assert "%" in page.locator("#where-shares").inner_text()
    before = page.locator("#where-map img").get_attribute("src")
    page.get_by_label("number input for Opacity").fill("0.1")
    page.keyboard.press("Tab")
    expect(page.locator("#where-map img")).not_to_have_attribute("src", before or "", timeout=WAIT_MS)


def test_a_map_under_way_can_be_stopped_and_the_next_question_is_answered(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit()
    page.locator("#example-cat").click()
    answered(page, "cat")
    page.get_by_label("Occlusion").check()
    page.locator("#where-go:not([disabled])").click()
    page.locator("#where-status", has_text=" of ").wait_for()
    page.locator("#where-stop").click()
    # on a busy machine the last of six steps may be done before the press; then Stop leaves the answer as it is
    page.locator("#where-status", has_text=re.compile("Stopped|by Occlusion")).wait_for()
    page.locator("#example-coffee").click()
    answered(page, "coffee cup")
    expect(page.locator("#where-map img")).to_have_count(0, timeout=WAIT_MS)  # no old map beside a new answer


def test_templates_are_compared(visit: Visit) -> None:
    page = visit()
    page.locator("#example-cat").click()
    answered(page, "cat")
    page.get_by_role("button", name="Template by template").click()
    page.locator("#templates-go").click()
    page.locator("#templates-chart .main-svg").first.wait_for()
    assert "itap of a {}." in page.locator("#templates-table").inner_text()
