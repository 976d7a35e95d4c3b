"""Send to: the receiving view shows the image, takes the labels over and answers; nothing is typed twice."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import answered, open_view

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Visit = Callable[..., Page]

TITLES = {
    "classify": "One image", "many": "Many images", "matrix": "Images × texts", "compare": "Compare",
    "search": "Search images", "attribution": "Where it looks", "typographic": "Write on it", "neurons": "Neurons",
    "audits": "Audits",
}  # fmt: skip
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
CHAIN = ("classify", "neurons", "typographic", "search", "attribution", "compare", "matrix", "audits")


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


@pytest.mark.parametrize("options", [{}, {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}])
def test_a_chain_of_eight_views_needs_no_typing(visit: Visit, options: dict[str, object]) -> None:
    page = visit(**options)
    page.locator("#example-coffee").click()
    answered(page, "coffee cup")
    for source, target in itertools.pairwise(CHAIN):
        send(page, source, target)
    assert "coffee cup" in page.locator("#matrix-texts textarea").input_value()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def pairs() -> Iterator[tuple[str, str]]:
    for source in TITLES:
        if source != "audits":  # it sends nothing
            yield from ((source, target) for target in TITLES if target != source)


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_every_pair_of_views(visit: Visit) -> None:
    page = visit()
    page.locator("#example-coffee").click()
    answered(page, "coffee cup")
    for target in ("many", "matrix", "compare", "search", "attribution", "typographic", "neurons"):
        open_view(page, "One image")
        send(page, "classify", target)
    for source, target in pairs():
        open_view(page, TITLES[source])
        send(page, source, target)
