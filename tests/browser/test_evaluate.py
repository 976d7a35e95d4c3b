"""Evaluate as a visitor sees it: a zip to a table and a report, other shots, label errors exported; on a phone."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tests.browser.conftest import open_tab, open_view

if TYPE_CHECKING:
    from playwright.sync_api import Page

    Visit = Callable[..., Page]

LONG_MS = 180_000
COLOURS = {"red": (220, 30, 30), "green": (30, 160, 40), "blue": (40, 60, 220)}
EACH = 28  # images a class: as few as every part of the view has enough of


def zipped(path: Path) -> Path:
    """Noisy squares of three colours in class folders; one of them in the wrong folder."""
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for name, colour in COLOURS.items():
            for number in range(EACH):
                shown = COLOURS["blue"] if (name, number) == ("red", 0) else colour
                pixels = np.clip(np.array(shown) + rng.integers(-25, 26, (32, 32, 3)), 0, 255).astype(np.uint8)
                buffer = io.BytesIO()
                Image.fromarray(pixels).save(buffer, "PNG")
                archive.writestr(f"squares/{name}/{number:02}.png", buffer.getvalue())
    return path


def test_from_images_to_a_table_a_report_and_label_errors_on_a_phone(visit: Visit, tmp_path: Path) -> None:
    page = visit(viewport={"width": 390, "height": 844}, color_scheme="dark")
    open_view(page, "Evaluate")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="or choose a zip").click()
    chooser.value.set_files(str(zipped(tmp_path / "squares.zip")))
    page.locator("#evaluate-folder", has_text="squares").wait_for()
    page.locator("#evaluate-go").click()
    own = re.compile(r"100\.0 % \(.*\) by probe")  # squares are easier than the example
    page.locator("#evaluate-status", has_text=own).wait_for(timeout=LONG_MS)
    page.locator("#evaluate-table", has_text="zero-shot").wait_for(timeout=LONG_MS)
    page.locator("#evaluate-csv").wait_for(timeout=LONG_MS)
    page.locator("#evaluate-chart .main-svg").first.wait_for()
    page.locator("#evaluate-shots label", has_text="2").first.click()
    page.locator("#evaluate-table", has_text="2 shots").wait_for()
    open_tab(page, "The probe's penalty")
    page.locator("#sweep-table", has_text="(chosen)").wait_for()
    page.locator("#sweep-chart .main-svg").first.wait_for()
    page.locator("#evaluate-report").click()
    page.locator("#evaluate-report-status", has_text=f"1 model, {3 * EACH} images").wait_for(timeout=LONG_MS)
    with page.expect_download() as written:
        page.locator("#evaluate-report-html").click()
    assert "Zero-shot, few shots and a linear probe" in written.value.path().read_text(encoding="utf-8")
    for more in ("16", "4"):  # one and two shots show what follows, in a quarter of the time
        page.locator("#evaluate-shots label", has_text=more).first.click()
    open_tab(page, "Few shots: methods, WiSE-FT and robustness")
    page.locator("#adapters-go").click()
    page.locator("#adapters-csv").wait_for(timeout=LONG_MS)
    page.locator("#adapters-chart-0 .main-svg").first.wait_for()
    assert "zero-shot" in page.locator("#adapters-status").inner_text()
    page.locator("#adapters-table", has_text="CLAP").wait_for()
    open_tab(page, "Sets of answers, and “not one of these”")
    page.locator("#certainty-go").click()
    page.locator("#certainty-flags", has_text="mcm").wait_for(timeout=LONG_MS)
    page.locator("#certainty-sets", has_text="raps").wait_for()
    open_tab(page, "The paper's figures from your data sets")
    page.locator("#paper-go").click()
    page.locator("#paper-status", has_text="of 1").wait_for(timeout=LONG_MS)
    open_tab(page, "Probable label errors")
    page.locator("#suspects-go").click()
    page.locator("#suspects-status", has_text="labels are suspect").wait_for(timeout=LONG_MS)
    page.locator("#suspects-gallery img").first.wait_for()
    page.locator("#suspects-fix").focus()
    page.keyboard.press("Enter")
    page.locator("#suspects-table", has_text="fix").wait_for()
    with page.expect_download() as saved:
        page.locator("#suspects-csv").click()
    assert "suspects" in saved.value.suggested_filename
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
