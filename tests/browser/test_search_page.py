"""Search images: add, ask, filter, choose, go on from a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.browser.conftest import open_view
from workbench.engine import Engine
from workbench.pictures import SAMPLES, sample_path
from workbench.retrieval.adding import add
from workbench.retrieval.index import remove

if TYPE_CHECKING:
    from playwright.sync_api import Page

TWO = """async pictures => {  // chosen one after the other, the second before the first is shown
    pictures[0].click()
    await new Promise(soon => setTimeout(soon, 20))
    document.querySelectorAll("#search-gallery .thumbnail-item")[2].click()
}"""


def ask(page: Page, text: str, verdict: str) -> None:
    page.locator("#search-query").get_by_role("textbox").fill(text)
    page.locator("#search-go").click()
    page.locator("#search-status", has_text=verdict).wait_for()


@pytest.fixture(scope="module")
def holiday() -> Iterator[str]:
    """An index of this machine that holds the shipped images."""
    with Engine(default="pocket", device="cpu", dtype="auto") as engine, engine.session("test") as session:
        list(add("holiday", session, [str(sample_path(row.key)) for row in SAMPLES]))
    yield "holiday"
    remove("holiday")


def test_a_link_opens_its_search(visit: Callable[..., Page], holiday: str) -> None:
    page = visit()
    open_view(page, "Search images")
    page.locator("#search-index input").click()
    page.get_by_role("option", name=holiday, exact=True).click()
    ask(page, "a cup of coffee", "1 of 18 images fits")
    link = page.get_by_role("link", name="Link to this search").get_attribute("href")
    assert link is not None

    other = visit(link.removeprefix("/"), ready="#search-status")
    other.locator("#search-status", has_text="1 of 18 images fits “a cup of coffee”").wait_for()
    assert other.locator("#search-query").get_by_role("textbox").input_value() == "a cup of coffee"
    assert other.locator("#search-index input").input_value() == holiday
    assert other.locator("#search-gallery .thumbnail-item").count() == 1
    other.locator("#search-gallery", has_text="coffee.png").wait_for()

    other = visit(link.removeprefix("/").removesuffix("#search"))  # another view first: the address keeps its settings
    open_view(other, "Search images")
    other.locator("#search-status", has_text="1 of 18 images fits “a cup of coffee”").wait_for()
    open_view(other, "One image")
    open_view(other, "Search images")
    assert other.locator("#search-gallery .thumbnail-item").count() == 1


HOSTILE = "<img src=x onerror=alert(1)> [here](javascript:alert(1))"


def test_a_link_that_is_wrong_gets_a_sentence(visit: Callable[..., Page], holiday: str) -> None:
    page = visit(f"?index={quote('gone' + HOSTILE)}&q={quote(HOSTILE)}#search", ready="#search-status")
    page.locator("#search-status", has_text="an index named gone<img src=x onerror").wait_for()
    page.locator("#search-status", has_text="which is not here. Choose another index").wait_for()
    assert page.locator("#search-query").get_by_role("textbox").input_value() == HOSTILE
    assert page.locator("#search-status").locator("img, a").count() == 0

    page = visit(f"?index={holiday}&q={quote(HOSTILE)}&where={quote('x; DROP TABLE')}#search", ready="#search-status")
    page.locator(".toast-body", has_text="The filter cannot be read at character 2").wait_for()
    page = visit(f"?index={holiday}&q={quote(HOSTILE)}&weaker=1#search", ready="#search-status")
    page.locator("#search-status", has_text="of 18 fits “<img src=x onerror=alert(1)> [here](javascript").wait_for()
    assert page.locator("#search-status").locator("img, a[href^=javascript]").count() == 0


def test_a_visitor_searches_the_shipped_images(visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 390, "height": 844})
    open_view(page, "Search images")
    page.locator("#search-gallery .thumbnail-item").first.wait_for()  # the example adds the shipped images
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
    pictures = page.locator("#search-gallery .thumbnail-item")
    pictures.first.filter(has_text="drawn-apple.webp").wait_for()
    names = [caption.partition(" · ")[2] for caption in pictures.all_inner_texts()]
    assert len(names) == 10
    assert names == sorted(names)
    with page.expect_download() as sheet:
        page.locator("#search-sheet").click()
    assert sheet.value.path().read_bytes().startswith(b"\xff\xd8")
    pictures.evaluate_all(TWO)
    page.locator("#search-picked", has_text=f"Selected: {names[2]}").wait_for()  # though the first was being shown
    page.locator("#search-similar").click()
    page.locator("#search-status", has_text="The most similar of 18 images").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_captions_measure_an_index(visit: Callable[..., Page], tmp_path: Path) -> None:
    captions = tmp_path / "captions.csv"
    captions.write_text("path,caption\ncat.webp,a photo of a cat\ncoffee.webp,a cup of coffee\ngone.png,a dog\n")
    page = visit(viewport={"width": 390, "height": 844}, color_scheme="dark")
    open_view(page, "Search images")
    page.locator("#search-gallery .thumbnail-item").first.wait_for()  # the example adds the shipped images
    page.get_by_text("Evaluate with captions").click()
    page.locator("#search-captions input[type=file]").set_input_files(str(captions))
    page.locator("#search-captions", has_text="captions").wait_for()
    page.locator("#search-evaluate").click()
    page.locator("#search-scores", has_text="2 sentences and 2 images or videos").wait_for()
    page.locator("#search-scores", has_text="1 names are not in the index").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
