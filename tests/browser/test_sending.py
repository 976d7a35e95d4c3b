"""Send to: the receiving view shows the image, takes the labels over and answers; nothing is typed twice."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import answered

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Visit = Callable[..., Page]

SHOWS = {  # view -> what shows that the image has come, and what shows the answer
    "classify": ("#classify-image img", "#classify-verdict :text('%')"),
    "many": ("#many-files :text('coffee')", "#many-status :text('classified')"),
    "matrix": ("#matrix-images img", "#matrix-verdict :text('images')"),
    "compare": ("#compare-a img", "#compare-verdict :text('A:')"),
    "search": ("#search-image img", "#search-status :text('images')"),
    "attribution": ("#attribution-image img", "#attribution-map img"),
    "typographic": ("#typographic-image img", "#typographic-clean table"),
    "neurons": ("#neurons-image img", "#neurons-sum :text('Cosine')"),
    "audits": ("#audit-received img", "#audit-true-label"),  # it asks for the truth: an answer is no truth
}
# each view sends and receives; that every pair has a button with an event, tests/apps/test_page.py says
CHAIN = (
    "classify", "neurons", "typographic", "search", "attribution", "compare", "many", "matrix", "classify", "audits",
)  # fmt: skip


def send(page: Page, source: str, target: str) -> None:
    """Send from one view to another, and wait for image and answer."""
    if source == "search":
        page.locator("#search-gallery .thumbnail-item").first.click()
    if source == "many":
        page.locator("#many-table [role=gridcell]").first.click()
    page.locator(f"#{source}-to-{target}").click()
    for place in SHOWS[target]:
        page.locator(place).first.wait_for()
    assert page.locator(f"#{target}-mark").locator("visible=true").count() == 0  # no example any more


@pytest.mark.heavy
def test_a_chain_on_a_dark_phone_in_which_each_view_sends_and_receives_needs_no_typing(visit: Visit) -> None:
    page = visit(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.locator("#example-coffee").click()
    answered(page, "coffee cup")
    for source, target in itertools.pairwise(CHAIN):
        send(page, source, target)
    assert "coffee cup" in page.locator("#matrix-texts textarea").input_value()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
