"""The tabs of the browser page: one file or folder a tab, and the page that holds them.

Knows no server: `serving` launches what `assemble` returns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr

from apps import zero_shot
from workbench.engine import Engine
from workbench.models import find

TITLE = "CLIP Workbench"


@dataclass(frozen=True)
class Tab:
    """One tab of the page."""

    key: str  # in the address: `?tab=key`
    title: str
    build: Callable[[Engine], None]  # lays the tab out inside an open `gr.Tab`


TABS: tuple[Tab, ...] = (Tab("zero-shot", "Zero-shot", zero_shot.build),)


def assemble(engine: Engine) -> gr.Blocks:
    """Lay out the whole page over one engine; nothing is loaded and nothing is served yet."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(600, 3600)) as page:
        gr.Markdown(masthead(engine), elem_id="masthead")
        with gr.Tabs():
            for tab in TABS:
                with gr.Tab(tab.title, id=tab.key):
                    tab.build(engine)
    return page


def masthead(engine: Engine) -> str:
    """Return the header: what this is, which model is loaded, and that nothing leaves the machine."""
    spec = find(engine.default)
    trained = f", trained on {spec.trained_on}" if spec.trained_on else ""
    return (
        f"# {TITLE}\nModel: **{spec.title}**{trained}. "
        "Pictures and texts stay on the machine that serves this page; nothing is sent anywhere."
    )
