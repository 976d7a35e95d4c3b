"""Write on it, as visitors use it: typing, dragging, keys, touch, a phone, two visitors, hostile words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.browser.conftest import open_tab, open_view

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Visit = Callable[..., Page]


def open_preset(visit: Visit, key: str = "ipod", **options: object) -> Page:
    page = visit(**options)
    open_view(page, "Write on it")
    page.locator(f"#written-{key}").click()
    page.locator("#typographic-stage img").wait_for()
    page.locator("#typographic-provenance", has_text="Answered by").wait_for()
    return page


def type_word(page: Page, word: str) -> None:
    page.locator("#typographic-word").locator("textarea, input").first.fill(word)


def place(page: Page) -> dict[str, float]:
    row: dict[str, float] = json.loads(page.locator("#typographic-place textarea").input_value())[0]
    return row


def wait_until_placed(page: Page, placed: Callable[[dict[str, float]], bool]) -> None:
    """Asks from outside: the page's policy forbids `wait_for_function`, which evaluates text in the page."""
    for _ in range(100):
        if placed(place(page)):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"The word stays at {place(page)}.")


def test_the_answer_flips_while_one_types_and_a_drag_moves_the_word(visit: Visit) -> None:
    page = open_preset(visit)
    page.locator("#typographic-clean", has_text="apple").wait_for()
    type_word(page, "pizza")
    page.locator("#typographic-verdict", has_text="apple becomes pizza").wait_for()
    page.locator("#typographic-look-written img").wait_for()
    stage = page.locator("#typographic-stage .stage")
    box = stage.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"], steps=4)
    page.mouse.up()
    wait_until_placed(page, lambda word: abs(word["x"] - 0.4) < 0.02 and abs(word["y"] - 0.4) < 0.02)
    stage.focus()
    page.wait_for_timeout(300)  # what the drag sent last has been drawn
    before = place(page)
    for key in ("ArrowLeft", "+", "["):
        page.keyboard.press(key)
    wait_until_placed(page, lambda word: word["angle"] == 5)
    after = place(page)
    assert after["x"] < before["x"]
    assert after["size"] > before["size"]
    type_word(page, "library")
    page.locator("#typographic-stage img[alt$='library']").wait_for()
    assert place(page) == after  # a new word stays where the old one was
    open_tab(page, "Reproduce")
    address = page.locator("#typographic-address").locator("textarea, input").first.input_value()
    assert "written=" in address
    assert "typographic" in address


def test_hostile_words_are_drawn_or_refused_and_other_visitors_see_nothing(visit: Visit) -> None:
    page, other = open_preset(visit), open_preset(visit, "pizza")
    type_word(page, "<img src=x onerror=window.hit=1>")
    page.locator("#typographic-written", has_text="<img src=x").wait_for()
    assert page.evaluate("window.hit") is None
    type_word(page, "a" * 10_000)
    page.locator("#typographic-verdict", has_text="at most 60 letters").wait_for()
    assert "becomes pizza" in other.locator("#typographic-verdict").inner_text()


def test_a_phone_in_the_dark_drags_with_a_finger_and_never_scrolls_sideways(visit: Visit) -> None:
    page = open_preset(
        visit, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme="dark"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    stage = page.locator("#typographic-stage .stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box
    x, y = box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"]
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 5):
        point = {"x": x, "y": y - 0.1 * step * box["height"]}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    wait_until_placed(page, lambda word: word["y"] < 0.3)


def test_a_defence_is_applied_to_every_view_and_taken_back(visit: Visit) -> None:
    page = open_preset(visit, "pizza")
    page.locator("#typographic-verdict", has_text="becomes pizza").wait_for()
    open_tab(page, "Defend")
    page.locator("#typographic-apply").click()
    page.locator("#typographic-provenance", has_text="Paint over text").wait_for()
    open_tab(page, "Transfer: ask other models")
    page.locator("#typographic-transfer-go").click()
    page.locator("#typographic-transfer-status", has_text="the answer of").wait_for()
    assert "Pocket (shipped)" in page.locator("#typographic-transfer-rows").inner_text()
    assert "pizza:" not in page.locator("#typographic-verdict").inner_text()  # the word no longer wins
    open_tab(page, "Defend")
    page.locator("#typographic-undo").click()
    page.locator("#typographic-verdict", has_text="becomes pizza").wait_for()


def test_a_measurement_stops_and_the_stroop_cards_are_counted(visit: Visit) -> None:
    page = open_preset(visit)
    open_tab(page, "Defend")
    page.locator("#typographic-measure").click()
    page.locator("#typographic-measured-note", has_text="images").wait_for()
    page.locator("#typographic-defend-stop").click()
    page.locator("#typographic-measured-note", has_text="Stopped").wait_for()
    open_tab(page, "The published attacks on this model")
    page.locator("#typographic-stroop-go").click()
    page.locator("#typographic-published-status", has_text="n = 56").wait_for()
    page.locator("#typographic-stroop", has_text="purple").wait_for()
