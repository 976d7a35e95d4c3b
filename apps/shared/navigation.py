"""The navigation: a side list on wide screens, a menu on narrow ones; each view has its own address, /#key.

The list is made in the browser by `navigation.js` from the table of views, and selects Gradio's tabs, whose own bar is
hidden. Gradio draws a view's widgets when its tab is first opened.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr

from apps.requirements import lacking
from apps.shared.events import ASIDE
from apps.shared.markdown import literal
from apps.tabs import GROUPS, VIEWS

_SCRIPT = Path(__file__).with_name("navigation.js").read_text(encoding="utf-8")


def script() -> str:
    """Return the script with the table of views in it; groups without a view are left out."""
    groups = [
        {
            "title": group,
            "views": [{"key": tab.key, "title": tab.title} for tab in VIEWS.values() if tab.group == group],
        }
        for group in GROUPS
    ]
    table = json.dumps([group for group in groups if group["views"]]).replace("<", "\\u003c")
    return _SCRIPT.replace("__VIEWS__", table)


def build() -> gr.Markdown:
    """Lay out where the reasons for greyed entries are shown; the script puts the list above."""
    return gr.Markdown(visible=False, elem_id="reasons", elem_classes=["notes", "live"])


def wire(model: gr.Dropdown, tabs: dict[str, gr.Tab], reasons: gr.Markdown) -> None:
    """Grey the views that the chosen model cannot serve, and say why."""
    limited = [tab for tab in VIEWS.values() if tab.needs]
    if not limited:
        return

    def check(key: str) -> list[Any]:
        missing = {tab: lacking(key, tab.needs) for tab in limited}
        lines = [f"- {tab.title}: not with this model; {literal(reason)}." for tab, reason in missing.items() if reason]
        return [
            *(gr.Tab(interactive=not reason) for reason in missing.values()),
            gr.update(value="\n".join(lines), visible=bool(lines)),
        ]

    gr.on(None, check, model, [*(tabs[tab.key] for tab in limited), reasons], **ASIDE)
