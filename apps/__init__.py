"""The tabs of the browser page: one file or folder a tab, the table of them, and the page that holds them.

Knows no server: `serving` launches what `assemble` returns. Gradio and the tabs are imported by `assemble` only, so
that the shell's other words start quickly.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps import limits
from workbench.models import find

if TYPE_CHECKING:
    import gradio as gr

    from workbench.engine import Engine

TITLE = "CLIP Workbench"


@dataclass(frozen=True)
class Tab:
    """One tab of the page."""

    key: str  # its id in the page
    title: str
    module: str  # has `build(engine) -> None`, which lays the tab out inside an open `gr.Tab`


TABS: tuple[Tab, ...] = (
    Tab("zero-shot", "Zero-shot", "apps.zero_shot"),
    Tab("audits", "Audits", "apps.auditing"),
    Tab("learn", "Learn", "apps.learn"),
)


def assemble(engine: Engine) -> gr.Blocks:
    """Lay out the whole page over one engine; nothing is loaded and nothing is served yet."""
    import gradio as gr

    page: gr.Blocks
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(600, 3600)) as page:
        gr.Markdown(masthead(engine), elem_id="masthead")
        with gr.Tabs():
            for tab in TABS:
                with gr.Tab(tab.title, id=tab.key):
                    importlib.import_module(tab.module).build(engine)
        with gr.Accordion("Limits of this page", open=False, elem_id="limits"):
            gr.Markdown(bounds(), elem_classes="notes")
    return page


def bounds() -> str:
    """Return the limits that a visitor should know, as a list in Markdown."""
    return "\n".join(f"- {what}: {how}." for what, how in limits.shown(limits.current()))


def masthead(engine: Engine) -> str:
    """Return the header: what this is, which model it begins with, and that nothing leaves the machine."""
    spec = find(engine.default)
    trained = f", trained on {spec.trained_on}" if spec.trained_on else ""
    return (
        f"# {TITLE}\nBegins with **{spec.title}**{trained}; each answer names the model that gave it. "
        "Pictures and texts stay on the machine that serves this page; nothing is sent anywhere."
    )
