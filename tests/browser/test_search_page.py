"""Search images: add, ask, filter, choose, go on from a result; and nobody else sees what was added."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.conftest import open_view

if TYPE_CHECKING:
    from playwright.sync_api import Page


def ask(page: Page, text: str, verdict: str) -> None:
    page.locator("#search-query").get_by_role("textbox").fill(text)
    page.locator("#search-go").click()
    page.locator("#search-status", has_text=verdict).wait_for()


def test_a_visitor_searches_the_shipped_images(visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 390, "height": 844})
    open_view(page, "Search images")
    page.locator("#search-shipped").click()
    page.locator("#search-status", has_text="18 images in the index").wait_for()
    ask(page, "a cup of coffee", "1 of 18 images fits")
    assert page.locator("#search-gallery .thumbnail-item").count() == 1
    ask(page, "quarterly report", "No image of 18 fits")
    page.get_by_text("Filter and order").click()
    page.locator("#search-weaker input").check()
    page.locator("#search-filter").get_by_role("textbox").fill("width = 448")
    ask(page, "a pig - a dog", "Shown with weaker ones: 10")
    page.locator("#search-sort input").click()
    page.get_by_role("option", name="Name", exact=True).click()
    page.locator("#search-safe input").check()
    ask(page, "a pig - a dog", "Shown with weaker ones: 10")
    names = page.locator("#search-table td:first-child").all_inner_texts()
    assert names == sorted(names)
    with page.expect_download() as sheet:
        page.locator("#search-sheet").click()
    assert sheet.value.path().read_bytes().startswith(b"\xff\xd8")
    first = page.locator("#search-gallery .thumbnail-item").first
    first.click()
    page.locator("#search-picked", has_text="Selected: drawn-").wait_for()
    page.locator("#search-similar").click()
    page.locator("#search-status", has_text="The most similar of 18 images").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    other = visit()
    open_view(other, "Search images")
    ask(other, "a cup of coffee", "Add images, or try the shipped ones")
    other.get_by_text("The index is empty").first.wait_for()


def test_captions_measure_an_index(visit: Callable[..., Page], tmp_path: Path) -> None:
    captions = tmp_path / "captions.csv"
    captions.write_text("path,caption\nchelsea.png,a photo of a cat\ncoffee.png,a cup of coffee\ngone.png,a dog\n")
    page = visit(viewport={"width": 390, "height": 844}, color_scheme="dark")
    open_view(page, "Search images")
    page.locator("#search-shipped").click()
    page.locator("#search-status", has_text="18 images in the index").wait_for()
    page.get_by_text("Evaluate with captions").click()
    page.locator("#search-captions input[type=file]").set_input_files(str(captions))
    page.locator("#search-captions", has_text="captions").wait_for()
    page.locator("#search-evaluate").click()
    page.locator("#search-scores", has_text="2 sentences and 2 images or videos").wait_for()
    page.locator("#search-scores", has_text="1 names are not in the index").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
