"""The audits tab as an auditor uses it: plan, run, read, look behind a number, compare two models, move a gate."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import WAIT_MS, open_tab, open_view
from workbench.pictures import sample

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Visit = Callable[..., Page]

LONG_MS = 180_000
SCENES = "Scenes through a camera"
OVERLAY = "Typographic attack"


def opened(visit: Visit, **options: object) -> Page:
    page = visit(**options)
    open_view(page, "Audits")
    open_tab(page, "Run")
    page.locator("#audit-go").wait_for()
    return page


def only(page: Page, title: str) -> None:
    """Choose one audit and no other."""
    boxes = page.locator("#audit-which label")
    for at in range(boxes.count()):
        box = boxes.nth(at)
        box.locator("input").set_checked(box.inner_text().startswith(title))
    page.locator("#audit-question li", has_text=title).wait_for()
    page.locator("#audit-question li").nth(1).wait_for(state="detached")


def run(page: Page) -> None:
    page.locator("#audit-go").click()
    page.locator("#audit-status", has_text="done.").wait_for(timeout=LONG_MS)


@pytest.mark.timeout(600)
def test_two_models_are_run_read_compared_and_gated(visit: Visit, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    page = opened(visit)
    only(page, SCENES)
    expect(page.locator("#audit-use")).to_contain_text("out of scope", timeout=WAIT_MS)
    page.locator("#audit-plan").click()
    expect(page.locator("#audit-costs")).to_contain_text("144", timeout=LONG_MS)
    page.locator("#audit-models label", has_text="Fake").locator("input").check()
    run(page)
    expect(page.locator("#audit-done")).to_contain_text("fake")

    open_tab(page, "Report")
    expect(page.locator("#audit-report-status")).to_contain_text("of fake", timeout=WAIT_MS)  # the second run's
    report = page.frame_locator("#audit-report iframe")
    report.get_by_role("heading", name=SCENES).first.wait_for(timeout=WAIT_MS)
    page.locator("#audit-people input").check()  # the scenes show drawn people
    page.locator("#audit-numbers").get_by_text("accuracy", exact=True).locator("visible=true").first.click()
    expect(page.locator("#audit-behind-status")).to_contain_text("rows count", timeout=WAIT_MS)
    page.locator("#audit-gallery img").first.wait_for()
    with page.expect_download() as packed:
        page.locator("#audit-zip").click()
    names = zipfile.ZipFile(packed.value.path()).namelist()
    assert {"report.html", "report.md", "junit.xml"} <= set(names)
    assert any(name.endswith("/run.json") for name in names)

    open_tab(page, "Compare runs")
    page.locator("#audit-compare-go").click()
    expect(page.locator("#audit-compare-status")).to_contain_text("flips", timeout=WAIT_MS)
    assert "sample_id" in page.locator("#audit-compare-flips").inner_text()

    open_tab(page, "Gate")
    expect(page.locator("#gate-status")).to_contain_text("Exit code", timeout=WAIT_MS)
    slider = page.locator("#gate-threshold input[type=number]")
    slider.fill("-1")
    slider.press("Enter")
    page.get_by_label("at least: the lower bound").check()
    expect(page.locator("#gate-status")).to_contain_text("Passes", timeout=WAIT_MS)
    page.get_by_label(
        "at most: the value alone"
    ).check()  # asks no precision itself, so groups that are not judged count
    expect(page.locator("#gate-status")).to_contain_text("not judged", timeout=WAIT_MS)
    page.get_by_label("at most: the upper bound").check()
    expect(page.locator("#gate-status")).to_contain_text("Fails", timeout=WAIT_MS)


@pytest.mark.timeout(400)
def test_pictures_of_one_s_own_stay_with_their_visitor(visit: Visit, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    bundle = tmp_path / "mine.zip"
    with zipfile.ZipFile(bundle, "w") as packed:
        for key, label in (("cat", "cat"), ("coffee", "coffee cup"), ("rocket", "rocket"), ("drawn-pig", "pig")):
            file = tmp_path / f"{key}.png"
            sample(key).resize((200, 200)).save(file)
            packed.write(file, f"{label}/{key}.png")
    page = opened(visit)
    only(page, OVERLAY)
    page.get_by_label("My own images").check()
    page.locator("#audit-files input[type=file]").set_input_files(str(bundle))
    page.locator("#audit-files [aria-label='mine.zip']").wait_for()
    run(page)
    expect(page.locator("#audit-done")).to_contain_text("success")
    other = opened(visit)
    open_tab(other, "Report")
    expect(other.locator("#audit-chosen input")).to_have_value(re.compile("builtin:things"), timeout=WAIT_MS)
    other.locator("#audit-chosen input").click()
    expect(other.get_by_role("option")).to_have_count(1)


@pytest.mark.timeout(400)
def test_a_folder_is_uploaded_with_its_folders(visit: Visit, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    for key, label in (("cat", "cat"), ("coffee", "coffee cup"), ("rocket", "rocket"), ("drawn-pig", "pig")):
        (tmp_path / "mine" / label).mkdir(parents=True)
        sample(key).resize((200, 200)).save(tmp_path / "mine" / label / "one.png")  # the same name in each
    (tmp_path / "mine" / ".hidden").write_text("stays at home")
    page = opened(visit)
    only(page, OVERLAY)
    page.get_by_label("My own folder").check()
    page.locator("#audit-folder input[type=file]").set_input_files(tmp_path / "mine")
    page.locator("#audit-folder", has_text="coffee cup∕one").wait_for()
    assert "hidden" not in page.locator("#audit-folder").inner_text()
    page.locator("#audit-plan").click()
    expect(page.locator("#audit-costs")).to_contain_text("60", timeout=LONG_MS)  # four pictures in fifteen forms
    run(page)
    expect(page.locator("#audit-done")).to_contain_text("success")


def test_a_folder_can_be_dropped(visit: Visit, tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        (tmp_path / "mine" / label).mkdir(parents=True)
        sample("cat").resize((64, 64)).save(tmp_path / "mine" / label / "one.png")
    (tmp_path / "mine" / "notes.txt").write_text("stays at home")
    page = opened(visit)
    page.get_by_label("My own folder").check()
    target = page.locator("#audit-folder button").first
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box
    where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    devtools = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(tmp_path / "mine")], "dragOperationsMask": 1}
        devtools.send("Input.dispatchDragEvent", {"type": kind, **where, "data": data})
    for label in ("cat", "dog"):
        page.locator("#audit-folder", has_text=f"mine∕{label}∕one").wait_for()
    assert "notes" not in page.locator("#audit-folder").inner_text()


@pytest.mark.timeout(300)
def test_a_changed_label_changes_the_hash_before_anything_runs(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = opened(visit)
    only(page, OVERLAY)
    page.get_by_role("button", name="Protocol: labels, templates, settings").click()
    remark = page.locator("#audit-hash")
    expect(remark).to_contain_text("as shipped", timeout=WAIT_MS)
    code = page.locator("#audit-protocol textarea")
    code.fill(code.input_value() + "\nnonsense: 1\n")
    expect(remark).to_contain_text("Not usable yet", timeout=WAIT_MS)
    page.locator("#audit-models label", has_text="Pocket (shipped)").locator("input").uncheck()
    page.locator("#audit-go").click()
    page.get_by_text("at least one audit and one model").wait_for()


@pytest.mark.timeout(400)
def test_a_run_can_be_stopped_and_the_page_stays_usable(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = opened(visit)
    only(page, OVERLAY)
    page.locator("#audit-go").click()
    page.locator("#audit-status", has_text="Embedding").wait_for(timeout=LONG_MS)
    page.locator("#audit-stop").click()
    expect(page.locator("#audit-status")).to_contain_text("Stopped", timeout=WAIT_MS)
    only(page, SCENES)
    run(page)


@pytest.mark.timeout(600)
def test_a_finding_on_bias_leads_to_remedies(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = opened(visit)
    only(page, "Association with words")
    page.locator("#audit-read-it input").check()
    run(page)
    open_tab(page, "Report")
    help_box = page.locator("#audit-help")
    expect(help_box).to_be_visible(timeout=WAIT_MS)
    help_box.locator("button").first.click()
    page.locator("#audit-help-measure").click()
    expect(page.locator("body")).to_contain_text("Read the warning", timeout=WAIT_MS)
    page.locator("#audit-help-read input").check()
    page.locator("#audit-help-measure").click()
    expect(page.locator("#audit-help-status")).to_contain_text("done", timeout=LONG_MS)
    expect(page.locator("#audit-report-status")).to_contain_text("Remedies against bias", timeout=WAIT_MS)
    page.locator("#audit-help-apply").click()
    expect(page.locator("#audit-help-status")).to_contain_text("Every view now asks", timeout=LONG_MS)
    expect(page.locator("#audit-help-status")).to_contain_text("LEACE: male and female")
    open_tab(page, "Run")
    expect(page.locator("#audit-models")).to_contain_text("LEACE: male and female", timeout=WAIT_MS)
