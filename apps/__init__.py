"""The views of the browser page: the table of them, and the page that holds them.

Does not know about the server: `serving` launches what `assemble` returns. Gradio and the views are imported by
`assemble` only, so that the other commands start quickly.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps import limits

if TYPE_CHECKING:
    import gradio as gr

    from workbench.engine import Engine

TITLE = "CLIP Workbench"


@dataclass(frozen=True)
class Tab:
    """One view of the page. A new view is one more row of `TABS`."""

    key: str  # its address is /#key
    title: str
    group: str  # heading in the navigation, one of GROUPS
    module: str  # has `build(page: Page) -> None`, which lays the view out inside an open `gr.Tab`
    receives: bool = False  # other views can send images and labels here; `build` calls `page.exchange.accept`
    needs: tuple[str, ...] = ()  # keys of `requirements.REQUIREMENTS`; the entry is greyed where the model lacks one


GROUPS = ("Classify", "Find", "Look inside", "Attack and defend", "Make", "Measure", "Learn")
TABS: tuple[Tab, ...] = (
    Tab("classify", "One image", "Classify", "apps.classify.one_image", receives=True),
    Tab("many", "Many images", "Classify", "apps.classify.many_images", receives=True),
    Tab("matrix", "Images × texts", "Classify", "apps.classify.matrix", receives=True),
    Tab("compare", "Compare", "Classify", "apps.classify.compare", receives=True),
    Tab("attribution", "Where it looks", "Look inside", "apps.attribution", receives=True),
    Tab("audits", "Audits", "Measure", "apps.auditing", receives=True),
    Tab("learn", "Train a small CLIP", "Learn", "apps.learn"),
)


def assemble(engine: Engine) -> gr.Blocks:
    """Lay out the whole page over one engine; nothing is loaded and nothing is served yet."""
    import gradio as gr

    from apps import _api, _navigation
    from apps._model_menu import model_menu
    from apps._page import Exchange, Page

    blocks: gr.Blocks
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(600, 3600)) as blocks:
        _api.build(engine)  # first, so that no event of a view takes the name of an endpoint
        gr.Markdown(masthead(), elem_id="masthead")
        with gr.Row(elem_id="frame"):
            with gr.Column(elem_id="sidebar", min_width=200):
                reasons = _navigation.build()
                with gr.Column(elem_id="model"):
                    model = model_menu(engine)
            with gr.Column(elem_id="main"):
                with gr.Tabs(elem_id="views") as tabs:
                    page = Page(engine, model, Exchange(tabs))
                    opened = {}
                    for tab in TABS:
                        with gr.Tab(tab.title, id=tab.key) as opened[tab.key]:
                            importlib.import_module(tab.module).build(page)
                page.exchange.connect()
                with gr.Accordion("Limits of this page", open=False, elem_id="limits"):
                    gr.Markdown(bounds(), elem_classes="notes")
        _navigation.wire(model, opened, reasons)
    return blocks


def bounds() -> str:
    """Return the limits that a visitor should know, as a list in Markdown."""
    return "\n".join(f"- {what}: {how}." for what, how in limits.shown(limits.current()))


def masthead() -> str:
    """Return the header: what this is, and that nothing leaves the machine."""
    return (
        f"# {TITLE}\nLook inside CLIP models and audit them. "
        "Images and texts stay on the machine that serves this page; nothing is sent elsewhere."
    )
