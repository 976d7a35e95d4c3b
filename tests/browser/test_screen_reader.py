"""What a screen reader meets in each view: controls have names, and an answer is announced by one element."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page

from apps.tabs import TABS
from tests.browser.conftest import open_view

CONTROLS = "button|textbox|combobox|checkbox|radio|slider|spinbutton|link|tab|switch|searchbox"
NAMELESS = re.compile(rf"^\s*- (?:{CONTROLS})(?: \[[^\]]*\])*(?::.*)?$", re.MULTILINE)  # a name stands in quotes
NESTED = "[...document.querySelectorAll('[aria-live] [aria-live]')].filter(e => e.offsetParent).map(e => e.id)"
LIVE = "[...document.querySelectorAll('#views > .tabitem [aria-live]')].some((one) => one.offsetParent)"


def test_each_view_is_walked_by_role_and_name(visit: Callable[..., Page]) -> None:
    page = visit()
    nameless, nested, silent = {}, {}, []
    for tab in TABS:
        open_view(page, tab.title)
        page.locator(f"#view-{tab.key} .live").first.wait_for(state="attached")
        read = page.locator(f"#view-{tab.key}").aria_snapshot()
        if found := NAMELESS.findall(read):
            nameless[tab.key] = found
        if found := page.evaluate(NESTED):
            nested[tab.key] = found
        if not page.evaluate(LIVE):
            silent.append(tab.key)
    assert (nameless, nested, silent) == ({}, {}, [])
    assert NAMELESS.findall('- button "Go"\n- button\n- textbox:\n- textbox "Labels": cat') == [
        "- button",
        "- textbox:",
    ]
