"""Find moments: a video made of known clips, its segments, and clicks that go there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.conftest import open_view, until
from tests.workbench.retrieval.made_videos import write_video
from workbench.pictures import sample

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_a_visitor_finds_a_moment_and_goes_there(visit: Callable[..., Page], tmp_path: Path) -> None:
    clips = [(sample(key), seconds) for key, seconds in (("cat", 3.0), ("drawn-umbrella", 2.0), ("coffee", 4.0))]
    path = write_video(tmp_path / "clips.mp4", clips)
    page = visit(viewport={"width": 390, "height": 844})
    open_view(page, "Find moments")
    other = write_video(tmp_path / "others.mp4", [(sample("rocket"), 3.0)])
    page.locator("#video-file", has_text="photos").wait_for()
    page.locator("#video-file").get_by_role("button", name="Clear").click()
    page.locator("#video-file input[type=file]").set_input_files([str(path), str(other)])
    page.locator("#video-file", has_text="others").wait_for()
    page.locator("#video-query").get_by_role("textbox").fill("a drawing of an umbrella")
    page.locator("#video-go").click()
    page.locator("#video-status", has_text="0:03.0–0:0").wait_for()
    page.locator("#video-ranking", has_text="others.mp4").wait_for()
    playing = "document.querySelector('#video-player video').currentTime"
    until(page, f"Math.abs({playing} - 3) < 0.3")
    line = page.locator("#video-timeline svg")
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
    until(page, f"Math.abs({playing} - 7.2) < 0.3")
    page.locator("#video-segments").get_by_text("3.00 s").locator("visible=true").first.click()
    until(page, f"Math.abs({playing} - 3) < 0.3")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
