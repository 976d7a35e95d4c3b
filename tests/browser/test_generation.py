"""The Generate tab: from a sentence to an image, a video and a PNG that restores it; Stop keeps the best image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import av
from PIL import Image

from tests.browser.conftest import WAIT_MS, open_tab, open_view
from workbench.generation.metadata import from_png

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Visit = Callable[..., Page]


def begin(page: Page, sentence: str, seconds: int) -> None:
    open_view(page, "Generate")
    page.locator("#generation-prompt textarea").fill(sentence)
    box = page.locator(".block", has_text="Seconds").locator("input[type=number]").locator("visible=true").first
    box.fill(str(seconds))
    box.press("Tab")
    page.locator("#generation-go").click()


def test_a_sentence_becomes_an_image_that_restores_its_settings(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    begin(page, "a yellow banana", 3)
    page.locator("#generation-image img[alt*='a yellow banana']").wait_for()  # no longer the example
    page.locator("#generation-status", has_text="Steered by").wait_for()
    page.locator("#generation-chart .main-svg").first.wait_for()
    files = {}
    for kind in ("png", "mp4"):
        with page.expect_download() as download:
            page.locator(f"#generation-{kind}").click()
        files[kind] = tmp_path / f"image.{kind}"
        download.value.save_as(files[kind])
    settings = from_png(files["png"].read_bytes(), "image.png")
    assert settings.prompt == "a yellow banana"
    with av.open(str(files["mp4"])) as video:
        assert sum(1 for _ in video.decode(video=0)) >= 2
    page.locator("#generation-prompt textarea").fill("something else")
    page.locator("#generation-restore input[type=file]").set_input_files(files["png"])
    page.locator("#generation-status", has_text="Settings restored").wait_for()
    assert page.locator("#generation-prompt textarea").input_value() == "a yellow banana"


def test_stop_keeps_the_best_image_and_go_starts_again_on_a_dark_phone(visit: Visit) -> None:
    page = visit(viewport={"width": 390, "height": 844}, color_scheme="dark")
    begin(page, "a cat", 120)
    page.locator("#generation-status", has_text="similarity").wait_for()
    page.locator("#generation-stop").click()
    page.locator("#generation-status", has_text="Stopped after").wait_for()
    page.locator("#generation-png").wait_for()
    page.locator("#generation-go").click()
    page.locator("#generation-status", has_text="s left").wait_for()
    page.locator("#generation-stop").click()
    page.locator("#generation-status", has_text="Stopped after").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_grid_fills_a_sheet_and_an_edit_has_a_slider_between_before_and_after(visit: Visit, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    page = visit()
    open_view(page, "Generate")
    open_tab(page, "Grid: many images at once")
    seeds = page.locator("#generation-grid-seeds input[type=number]")
    seeds.fill("2")
    seeds.press("Tab")
    begin(page, "a green apple", 2)
    status = expect(page.locator("#generation-status"))
    status.to_contain_text("All 2 images are made", timeout=WAIT_MS)  # says what stands there, where it does not
    assert "2 of them made" in (page.locator("#generation-image img").get_attribute("alt") or "")
    assert page.locator("#generation-history .grid-container button").count() == 3  # with the example
    seeds.fill("1")
    seeds.press("Tab")
    open_tab(page, "Edit an image of yours")
    start = tmp_path / "start.png"
    Image.new("RGB", (64, 64), "white").save(start)
    page.locator("#generation-start input[type=file]").set_input_files(start)
    page.locator("#generation-neutral textarea").fill("a white square")
    page.locator("#generation-start img").wait_for()
    page.locator("#generation-go").click()
    page.locator("#generation-status", has_text="Steered by").wait_for()
    page.locator("#generation-compared img").first.wait_for()
