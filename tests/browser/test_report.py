"""The report in a real browser: offline, with and without scripts, in both colour schemes, on a phone, in print."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audits import reporting
from tests.audits.reporting.conftest import HOSTILE
from tests.audits.reporting.made_run import make

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

KINDS = 5  # figures of a made run, one of each kind


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    runs = {"plain": make(folder / "plain"), "hostile": make(folder / "hostile", names=HOSTILE)}
    return {name: reporting.write([run], folder / f"{name}.html") for name, run in runs.items()}


@pytest.fixture
def read(browser: Browser, files: dict[str, Path]) -> Iterator[Callable[..., Page]]:
    """Open a report from the disk; afterwards nothing was logged, nothing failed, nothing was asked of any network."""
    contexts, failures = [], []

    def open_file(name: str = "plain", **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_offline(True)
        page = context.new_page()
        page.on("console", lambda line: failures.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("dialog", lambda dialog: failures.append(f"a script spoke: {dialog.message}"))
        page.on(
            "request",
            lambda request: (
                failures.append(request.url) if not request.url.startswith(("file:", "data:", "blob:")) else None
            ),
        )
        page.goto(files[name].as_uri())
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert failures == []


def scroll(page: Page) -> None:
    """Bring every figure into sight, and wait until each is drawn."""
    for figure in page.locator("figure[data-kind]").all():
        figure.scroll_into_view_if_needed()
        figure.locator(".plot .main-svg").first.wait_for()


def test_it_can_be_read_without_scripts(read: Callable[..., Page]) -> None:
    page = read(java_script_enabled=False)
    text = page.inner_text("main")
    for output in ("72 %", "67 to 78 %", "45 points", "29 to 59 points", "2 findings supported by the numbers"):
        assert output in text
    assert page.locator("figure .drawing svg.chart").count() == KINDS
    assert page.locator("figure .drawing").first.is_visible()


def test_plotly_draws_the_table_beside_each_figure(read: Callable[..., Page]) -> None:
    page = read()
    scroll(page)
    assert page.locator(".plot").count() == KINDS
    figure = page.locator("figure", has_text="Named correctly, by group")
    drawn = figure.locator(".plot").evaluate("plot => [...plot.data[0].x]")
    assert drawn == [54 / 60, 48 / 60, 45 / 60, 27 / 60]
    low = figure.locator(".plot").evaluate("plot => plot.data[0].x[0] - plot.data[0].error_x.arrayminus[0]")
    cell = figure.locator("tbody tr").first.locator("td").nth(2).get_attribute("data-v")
    assert low == pytest.approx(float(cell or "nan"))


def test_a_click_on_a_heading_sorts(read: Callable[..., Page]) -> None:
    page = read()
    table = page.locator("table.measures").first
    values = table.locator("tbody td.value")
    table.locator("th button", has_text="Value").click()
    assert values.all_inner_texts() == ["45 %", "72 %", "75 %", "80 %", "90 %"]
    table.locator("th button", has_text="Value").click()
    assert values.all_inner_texts() == ["90 %", "80 %", "75 %", "72 %", "45 %"]


def test_hostile_names_do_nothing(read: Callable[..., Page]) -> None:
    page = read("hostile")
    scroll(page)
    assert page.locator("main script, main img").count() == 0
    assert '<script>alert("A")</script>' in page.inner_text("main")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_in_both_schemes(read: Callable[..., Page], scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = read(color_scheme=scheme, bypass_csp=True)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    scroll(page)
    result = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]})
    assert [
        (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"])
        for one in result.response["violations"]
    ] == []


@pytest.mark.parametrize("name", ["plain", "hostile"])
def test_nothing_is_wider_than_a_phone(read: Callable[..., Page], name: str) -> None:
    page = read(name, viewport={"width": 360, "height": 780})
    scroll(page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_print_shows_the_still_figures_and_what_is_folded(read: Callable[..., Page]) -> None:
    page = read(color_scheme="dark")
    scroll(page)
    page.emulate_media(media="print")
    assert page.locator(".drawing").first.is_visible()
    assert not page.locator(".plot").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(page.pdf()) > 50_000
