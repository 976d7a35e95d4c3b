"""One image as visitors ask about it: mouse, keyboard, wrong files, two at once, a map, stop."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.conftest import WAIT_MS, answered, emptied, open_view
from workbench.pictures import sample_path

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Visit = Callable[..., Page]


def test_an_example_is_named_by_mouse_with_chart_and_table(visit: Visit) -> None:
    page = visit()
    page.locator("#example-coffee").click()
    answered(page, "coffee cup")
    page.locator("#classify-chart .bar").first.wait_for()
    assert "coffee cup" in page.locator("#classify-table").inner_text()
    assert "Pocket" in page.locator("#classify-provenance").inner_text()
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
    emptied(page, "#classify-image")
    page.locator("#classify-go").click()
    page.get_by_text("Choose an image first").wait_for()
    page.locator("#classify-image input[type=file]").set_input_files(str(broken))
    page.locator("#classify-image img[src*='broken']").wait_for(state="attached")  # the upload has arrived
    page.locator("#classify-go").click()
    page.locator("[data-testid=toast-body]", has_text="broken.png").wait_for()
    assert "Traceback" not in page.locator("body").inner_text()


def test_what_cannot_be_answered_takes_an_older_answer_away(visit: Visit) -> None:
    page = visit()
    page.locator("#example-cat").click()
    answered(page, "cat")
    assert "cat" in page.locator("#classify-table").inner_text()
    page.locator("#classify-labels textarea").fill("  ")
    page.locator("#classify-verdict", has_text="Type at least one label").wait_for()
    page.locator("#classify-table", has_text="cat").wait_for(state="detached")
    page.locator("#classify-chart").wait_for(state="hidden")
    page.locator("#classify-go").click()
    page.locator("[data-testid=toast-body]", has_text="Type at least one label").wait_for()
    page.locator("#classify-verdict", has_text="No answer").wait_for()


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
    page.locator("#classify-to-attribution").click()
    page.locator("#attribution-map img").wait_for()
    expect(page.locator("#attribution-labels textarea")).to_have_value(re.compile("^cat, dog"))
    assert "%" in page.locator("#attribution-shares").inner_text()
    before = page.locator("#attribution-map img").get_attribute("src")
    page.get_by_label("number input for Opacity").fill("0.1")
    page.keyboard.press("Tab")
    expect(page.locator("#attribution-map img")).not_to_have_attribute("src", before or "", timeout=WAIT_MS)


def test_an_example_is_mapped_with_one_click_and_another_while_it_works(visit: Visit) -> None:
    page = visit()
    open_view(page, "Where it looks")
    page.locator("#attribution-example-motorcycle").click()
    page.locator("#attribution-example-coffee").click()
    page.locator("#attribution-status", has_text="coffee cup").wait_for()
    page.locator("#attribution-map img[alt*='coffee cup']").wait_for()
    page.locator("#attribution-status", has_text="Check: with the most telling quarter of the image blurred").wait_for()
    assert "%" in page.locator("#attribution-shares").inner_text()


def test_a_question_that_cannot_be_answered_leaves_no_older_map(visit: Visit) -> None:
    page = visit()
    open_view(page, "Where it looks")
    page.locator("#attribution-example-cat").click()
    page.locator("#attribution-map img").wait_for()
    page.locator("#attribution-labels textarea").fill("")
    page.locator("#attribution-go").click()
    page.locator("#attribution-status", has_text="No answer").wait_for()
    page.locator("#attribution-map img").wait_for(state="hidden")
    page.locator("#attribution-shares").wait_for(state="hidden")


def test_a_map_under_way_can_be_stopped_and_the_next_question_is_answered(visit: Visit) -> None:
    page = visit()
    page.locator("#example-cat").click()
    answered(page, "cat")
    page.locator("#classify-to-attribution").click()
    page.locator("#attribution-map img").wait_for()
    page.get_by_label("Occlusion").check()
    page.locator("#attribution-go").click()
    page.locator("#attribution-status", has_text=" of ").wait_for()
    page.locator("#attribution-stop").click()
    # on a busy machine the last of six steps may be done before the press; then Stop leaves the answer as it is
    page.locator("#attribution-status", has_text=re.compile("Stopped|by Occlusion")).wait_for()
    open_view(page, "One image")
    page.locator("#example-coffee").click()
    answered(page, "coffee cup")
    page.locator("#classify-to-attribution").click()
    page.locator("#attribution-status", has_text="coffee cup").wait_for()


def test_templates_are_compared(visit: Visit) -> None:
    page = visit()
    page.locator("#example-cat").click()
    answered(page, "cat")
    page.get_by_role("button", name="Template by template").click()
    page.locator("#templates-go").click()
    page.locator("#templates-chart .main-svg").first.wait_for()
    assert "itap of a {}." in page.locator("#templates-table").inner_text()


def test_a_dropped_image_is_answered_and_again_while_labels_are_edited(visit: Visit) -> None:
    page = visit()
    emptied(page, "#classify-image")
    page.locator("#classify-image input[type=file]").set_input_files(str(sample_path("rocket")))
    answered(page, "rocket")
    page.locator("#classify-labels textarea").fill("")
    page.locator("#classify-labels textarea").press_sequentially("banana, space shuttle", delay=40)
    answered(page, "space shuttle")
    assert "rocket" not in page.locator("#classify-table").inner_text()
    page.locator("[data-testid=toast-body]").wait_for(state="detached")  # half-typed labels raise no message
