"""The browser page: it holds the views of the table in `tabs`, and names the installed plugins.

Does not know about the server: `serving` launches what `assemble` returns. Gradio and the views are imported by
`assemble` only, so that the other commands start quickly.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from apps import limits
from apps.tabs import VIEWS, Tab
from workbench.errors import unknown_name
from workbench.plugins import Plugin, misplaced

if TYPE_CHECKING:
    import gradio as gr

    from workbench.engine import Engine

TITLE = "CLIP Workbench"
VISIT = {
    "link": "Copy link",
    "save": "Save visit",
    "open": "Open visit",
    "afresh": "Start afresh",
}  # see shared/visit.js


def assemble(engine: Engine) -> gr.Blocks:
    """Lay out the whole page over one engine; nothing is loaded and nothing is served yet."""
    from apps import quick_gradio

    quick_gradio.load()
    import gradio as gr

    from apps import tour
    from apps.api import registering
    from apps.shared import navigation
    from apps.shared.markdown import literal
    from apps.shared.model_menu import choices, model_menu
    from apps.shared.page import Exchange, Page, address_box
    from apps.shared.visitor_runs import EMPTY

    leave_out_broken_views(engine)
    for plugin in (one for one in installed() if one.error):
        logging.getLogger(__name__).warning(plugin.text)
    blocks: gr.Blocks
    options: dict[str, Any] = {"analytics_enabled": False, "fill_width": True, "delete_cache": (600, 3600)}
    with quick_gradio.one_server(), gr.Blocks(title=TITLE, **options) as blocks:
        registering.build(engine)  # first, so that no event of a view takes the name of an endpoint
        gr.Markdown(masthead(), elem_id="masthead")
        with gr.Row(elem_id="frame"):
            with gr.Column(elem_id="sidebar", min_width=200):
                reasons = navigation.build()
                with gr.Column(elem_id="model"):
                    model = model_menu(engine)
                with gr.Row(elem_id="visit"):
                    for key, text in VISIT.items():
                        gr.Button(text, size="sm", min_width=80, elem_id=f"visit-{key}")
            with gr.Column(elem_id="main"):
                runs = gr.State(EMPTY)  # not among the tabs, which Gradio counts
                address = address_box()
                tour.build(engine, model, address)
                with gr.Tabs(elem_id="views") as tabs:
                    page = Page(engine, model, Exchange(tabs), runs, address)
                    opened = {}
                    for tab in VIEWS.values():
                        with gr.Tab(tab.title, id=tab.key, elem_id=f"view-{tab.key}") as opened[tab.key]:
                            importlib.import_module(tab.module).build(page)
                page.list_when_opened(model, lambda: gr.update(choices=choices()))
                page.connect()
                with gr.Accordion("Limits of this page", open=False, elem_id="limits"):
                    gr.Markdown(bounds(), elem_classes="notes")
                if plugins := installed():
                    with gr.Accordion("Plugins", open=False, elem_id="plugins"):
                        gr.Markdown("\n".join(f"- {literal(one.title)}" for one in plugins), elem_classes="notes")
        navigation.wire(model, opened, reasons)
    for block in blocks.blocks.values():
        buttons = getattr(block, "buttons", None) or []
        if "share" in buttons:
            buttons.remove("share")  # Gradio's own, which in a Space uploads an image to a public forum
    registering.lighten(blocks)
    return blocks


def leave_out_broken_views(engine: Engine) -> None:
    """Build each view of a plugin on a page of its own; one that raises an error is left out and keeps its error."""
    for key in [key for plugin in VIEWS.plugins for key in plugin.keys]:
        try:
            check(VIEWS[key], engine)
        except (Exception, SystemExit) as error:  # boundary: somebody else's code must not stop the page
            VIEWS.leave_out(key, error)


def check(tab: Tab, engine: Engine) -> None:
    """Build a view on a page of its own, which is thrown away.

    Raises:
        BadInput: the view does not do what its row says; or whatever the view itself raises.
    """
    import gradio as gr

    from apps.requirements import REQUIREMENTS
    from apps.shared.page import Exchange, Page, address_box
    from apps.shared.visitor_runs import EMPTY

    with gr.Blocks(analytics_enabled=False):
        model, runs = gr.Dropdown(["fake"]), gr.State(EMPTY)
        with gr.Tabs() as tabs, gr.Tab(tab.title):
            exchange = Exchange(tabs)
            importlib.import_module(tab.module).build(Page(engine, model, exchange, runs, address_box()))
    exchange.check(tab)
    if unknown := [need for need in tab.needs if need not in REQUIREMENTS]:
        raise unknown_name("need of a view", unknown[0], REQUIREMENTS)


def installed() -> list[Plugin]:
    """Return what installed packages add, table by table, the broken plugins too."""
    from audits.catalogue import AUDITS
    from workbench.attacks import ATTACKS
    from workbench.checkpoints import MODELS
    from workbench.generation.canvases.kinds import CANVASES

    return [plugin for table in (AUDITS, MODELS, ATTACKS, CANVASES, VIEWS) for plugin in table.plugins] + misplaced()


def bounds() -> str:
    """Return the limits that a visitor should know, as a list in Markdown."""
    return "\n".join(f"- {what}: {how}." for what, how in limits.shown(limits.current()))


def masthead() -> str:
    """Return the header: what this is, and that nothing leaves the machine."""
    return (
        f"# {TITLE}\nCLIP matches images with words. Ask it, fool it, look inside, and measure what it does to people. "
        "Your images and texts stay on the machine that serves this page."
    )
