"""Make the ready-made results anew: `python -m apps.first_results [VIEW …]`; all where none is named."""

from __future__ import annotations

import importlib
import sys

import gradio as gr

from apps.shared.page import Exchange, Page, address_box
from apps.shared.visitor_runs import EMPTY
from apps.tabs import TABS
from workbench.checkpoints.shipped import POCKET
from workbench.engine import Engine


def main(wanted: list[str]) -> None:
    """Build the views, and write the results of those wanted."""
    engine = Engine(default=POCKET.key, device="cpu")
    with gr.Blocks():
        model, runs, tabs = gr.Dropdown([POCKET.key], value=POCKET.key), gr.State(EMPTY), gr.Tabs()
        page = Page(engine, model, Exchange(tabs), runs, address_box())
        for tab in TABS:
            importlib.import_module(tab.module).build(page)
    for view in wanted or page.first.ready:
        page.first.make_ready(view)
    engine.close()


if __name__ == "__main__":
    main(sys.argv[1:])
