"""The other views as visitors use them: images × texts, many images, compare; and an address that brings settings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tests.browser.conftest import WAIT_MS, answered, emptied, open_view
from workbench.pictures import SAMPLES, sample_path

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Visit = Callable[..., Page]


def test_five_animals_are_matched_in_both_directions(visit: Visit) -> None:
    page = visit()
    open_view(page, "Images × texts")
    page.locator("#matrix-preset").click()
    page.get_by_text("images their own text comes first").wait_for()
    page.locator("#matrix-chart .main-svg").first.wait_for()
    table = page.locator("#matrix-table")
    assert "panda" in table.inner_text()
    before = table.inner_text()
    page.get_by_label("Raw cosine").check()
    page.locator("#matrix-chart", has_text="cosine").wait_for()
    assert table.inner_text() != before


def test_many_images_are_classified_filtered_scored_and_taken_home(visit: Visit, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    truth = tmp_path / "truth.csv"
    lines = [f"{row.key}.webp,{row.answer}" for row in SAMPLES]
    truth.write_text("\n".join(["file,label", *lines]), encoding="utf-8")
    page = visit()
    open_view(page, "Many images")
    page.locator("#many-shipped").click()
    page.locator("#many-files tr").nth(len(SAMPLES) - 1).wait_for(state="attached")
    page.get_by_role("button", name="True labels (optional)").click()
    box = page.locator("#many-truth")
    box.locator("input[type=file]").set_input_files(str(truth))
    box.locator("[aria-label='truth.csv']").wait_for()  # the name is drawn in two parts: stem and ending
    page.locator("#many-go").click()
    page.locator("#many-status", has_text=f"{len(SAMPLES)} of {len(SAMPLES)}").wait_for()
    page.locator("#many-score", has_text="Accuracy:").wait_for()
    table = page.locator("#many-table")
    expect(table).to_contain_text("cat.webp", timeout=WAIT_MS)
    with page.expect_download() as csv:
        page.locator("#many-csv").click()
    assert len(Path(csv.value.path()).read_text(encoding="utf-8-sig").splitlines()) == len(SAMPLES) + 1
    page.get_by_label("wrong", exact=True).check()
    expect(table).not_to_contain_text("cat.webp", timeout=WAIT_MS)
    with page.expect_download() as everything:
        page.locator("#many-json").click()
    assert len(json.loads(Path(everything.value.path()).read_text(encoding="utf-8"))["results"]) == len(SAMPLES)


def test_an_example_is_asked_of_both_shipped_models(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit()
    open_view(page, "Compare")
    page.get_by_label("Two images, one model").check()
    page.locator("#compare-example-drawn-dog").click()
    page.get_by_text("They disagree").wait_for()
    expect(page.get_by_label("Two models, one image")).to_be_checked()
    expect(page.locator("#compare-labels textarea")).to_have_value(re.compile("^panda, hippo"), timeout=WAIT_MS)
    page.locator("#compare-example-astronaut").click()
    page.locator("#compare-example-cat").click()  # while the one before it is being answered
    page.get_by_text("Both agree").wait_for()
    page.get_by_label("Two images, one model").check()
    page.locator("#compare-go").click()
    page.get_by_text("Choose image B, too").wait_for()
    expect(page.locator("#compare-verdict")).to_have_text("No answer; the message says why.", timeout=WAIT_MS)
    expect(page.locator("#compare-table")).to_be_hidden()


def test_two_images_are_compared(visit: Visit) -> None:
    page = visit()
    open_view(page, "Compare")
    emptied(page, "#compare-a")
    page.get_by_label("Two images, one model").check()
    for place, key in (("#compare-a", "cat"), ("#compare-b", "coffee")):
        page.locator(f"{place} input[type=file]").set_input_files(str(sample_path(key)))
        page.locator(f"{place} img").wait_for()
    page.locator("#compare-go").click()
    page.get_by_text("They disagree").wait_for()
    page.locator("#compare-chart .main-svg").first.wait_for()


def test_a_missing_model_is_explained_and_nothing_is_fetched(visit: Visit) -> None:
    page = visit()
    page.locator("#model-menu input").click()
    page.get_by_role("option", name="not on this machine").first.click()
    page.get_by_text("It is not on this machine").first.wait_for()
    assert page.get_by_role("button", name="Download", exact=True).first.is_disabled()


def test_an_address_restores_its_settings(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("?v=1&model=pocket&labels=zebra%2C%22a%2C+b%22&templates=seven&none=1&picture=cat")
    expect(page.locator("#classify-labels textarea")).to_have_value('zebra,"a, b"', timeout=WAIT_MS)
    page.locator("#classify-image img").wait_for()
    page.locator("#classify-go").click()
    page.locator("#classify-table", has_text="none of these").wait_for()


def test_an_address_that_asks_too_much_is_answered_with_a_notice(visit: Visit) -> None:
    page = visit("?" + urlencode({"labels": ",".join(f"w{n}" for n in range(257)), "picture": "unicorn"}))
    page.get_by_text("in the address was ignored").wait_for()
    page.get_by_text("names an example image that does not exist").wait_for()
    assert page.locator("#classify-labels textarea").input_value().startswith("cat, dog")


def test_the_address_given_out_leads_back(visit: Visit, address: str) -> None:
    from playwright.sync_api import expect

    page = visit()
    page.locator("#example-cat").click()
    answered(page, "cat")
    page.get_by_role("button", name="Reproduce").click()
    box = page.locator("#reproduce-address textarea, #reproduce-address input").first
    expect(box).to_have_value(re.compile("^" + re.escape(f"{address}?v=1&model=pocket")), timeout=WAIT_MS)


def test_an_image_goes_from_view_to_view_and_into_an_audit(visit: Visit, address: str) -> None:
    from playwright.sync_api import expect

    page = visit()
    page.locator("#example-cat").click()
    answered(page, "cat")
    page.locator("#classify-to-compare").click()
    page.locator("#compare-a img").wait_for()
    expect(page).to_have_url(f"{address}#compare")
    expect(page.locator("#compare-labels textarea")).to_have_value(re.compile("^cat, dog, rabbit"), timeout=WAIT_MS)
    page.locator("#compare-to-matrix").click()
    page.locator("#matrix-images img").first.wait_for()
    page.locator("#matrix-to-audits").click()
    page.locator("#audit-received img").wait_for()
    page.locator("#audit-add").click()
    page.get_by_text("Choose or type what the image shows").wait_for()  # a model's answer is not taken for the truth
    page.locator("#audit-true-label input").fill("cat")
    page.keyboard.press("Tab")
    page.locator("#audit-add").click()
    page.locator("#audit-collected", has_text="1 images").wait_for()
    page.go_back()
    expect(page.locator("#navigation a[aria-current]")).to_have_text("Images × texts")
    page.goto(f"{address}#learn")
    page.locator("#learn-go").wait_for()
