"""The tour asks before it shows, and a visit outlives a reload until it is begun afresh."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import WAIT_MS

Visit = Callable[..., Page]


def guess(page: Page, choice: str) -> None:
    page.locator("#tour-guess").get_by_label(choice).click()
    page.locator("#tour-answer b").wait_for()


def test_a_class_takes_the_tour_by_its_link_on_a_phone(visit: Visit) -> None:
    page = visit("?tour=1", viewport={"width": 390, "height": 844})
    expect(page.locator("#tour-text")).to_contain_text("1 of 8", timeout=WAIT_MS)
    expect(page.locator("#tour-answer")).to_have_text("")
    guess(page, "It says none fits")
    assert "No." in page.locator("#tour-answer").inner_text()
    expect(page.locator("#classify-verdict")).to_contain_text("rabbit", timeout=WAIT_MS)  # in the view itself
    page.locator("#tour-next").click()
    expect(page.locator("#tour-text")).to_contain_text("2 of 8")
    guess(page, "All five")
    expect(page.locator("#matrix-verdict")).to_contain_text("5 of 5", timeout=WAIT_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#tour-leave").click()
    expect(page.locator("#tour-take")).to_have_text("Go on with the tour")


def packed(manifest: object, files: dict[str, bytes] | None = None, method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as bundle:
        bundle.writestr("visit.json", json.dumps(manifest))
        for name, content in (files or {}).items():
            bundle.writestr(name, content)
    return buffer.getvalue()


def drop(page: Page, content: bytes) -> None:
    """Drop a file on the header, which takes none itself."""
    page.evaluate(
        """text => {
            const carried = new DataTransfer(), bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            carried.items.add(new File([bytes], 'clip-workbench-visit.zip'));
            const event = new DragEvent('drop', {bubbles: true, cancelable: true, dataTransfer: carried});
            document.querySelector('#masthead').dispatchEvent(event);
        }""",
        base64.b64encode(content).decode(),
    )


def test_a_visit_outlives_a_reload_until_it_begins_afresh(visit: Visit) -> None:
    page = visit(accept_downloads=True)
    page.locator("#example-motorcycle").click()
    expect(page.locator("#classify-verdict")).to_contain_text("motorcycle", timeout=WAIT_MS)
    page.locator("#classify-labels textarea").fill("dragon, motorcycle")
    page.get_by_label("Prompt templates").locator("visible=true").click()
    page.get_by_role("option", name="OpenAI's seven (7)").click()
    expect(page.locator("#classify-table")).to_contain_text("dragon", timeout=WAIT_MS)
    page.wait_for_timeout(2500)  # what is typed is kept a moment later
    page.reload()
    expect(page.locator("#classify-labels textarea")).to_have_value("dragon, motorcycle", timeout=WAIT_MS)
    expect(page.get_by_label("Prompt templates").locator("visible=true")).to_have_value("OpenAI's seven (7)")
    expect(page.locator("#classify-verdict")).to_contain_text("motorcycle", timeout=WAIT_MS)
    expect(page.locator("#classify-table")).to_contain_text("dragon", timeout=WAIT_MS)
    with page.expect_download() as saved:
        page.locator("#visit-save").click()
    with zipfile.ZipFile(saved.value.path()) as bundle:
        assert bundle.testzip() is None
        assert json.loads(bundle.read("visit.json"))["form"]["classify-labels"] == "dragon, motorcycle"
    content = saved.value.path().read_bytes()
    page.locator("#visit-link").click()
    page.wait_for_url("**/?form=*")
    address = page.url
    page.locator("#visit-afresh").click()
    expect(page.locator("#classify-labels textarea")).not_to_have_value("dragon, motorcycle", timeout=WAIT_MS)
    drop(page, content)
    expect(page.locator("#classify-labels textarea")).to_have_value("dragon, motorcycle", timeout=WAIT_MS)
    expect(page.locator("#classify-verdict")).to_contain_text("motorcycle", timeout=WAIT_MS)
    other = visit(address.split("/", 3)[3])
    expect(other.locator("#classify-labels textarea")).to_have_value("dragon, motorcycle", timeout=WAIT_MS)


def test_a_stranger_s_file_is_text_and_nothing_else(visit: Visit) -> None:
    page = visit()
    drop(page, packed({"form": {}, "files": []}, method=zipfile.ZIP_DEFLATED))
    expect(page.locator("#visit [role=status]")).to_contain_text("not a visit")
    drop(page, b"PK\x03\x04 and no more")
    label = "<img src=x onerror=window.broken=1>"
    asked = {"classify": {"go": "visit-afresh"}, "x": {"go": '"],*'}}
    stranger = {"form": {"classify-labels": f"{label}, cat"}, "files": [], "asked": asked, "view": "//example.org/"}
    drop(page, packed(stranger))
    expect(page.locator("#classify-labels textarea")).to_have_value(f"{label}, cat", timeout=WAIT_MS)
    expect(page.locator("#classify-table")).to_contain_text("onerror", timeout=WAIT_MS)
    page.wait_for_timeout(4000)  # what a button of the file would do
    assert page.evaluate("window.broken") is None
    expect(page.locator("#classify-labels textarea")).to_have_value(f"{label}, cat")
    assert page.url.startswith("http://127.0.0.1:")
