"""Zero-shot: name pictures with words that nobody trained on, and look at how the answer came about.

Knows only how its views are ordered; each view is a module of its own.
"""

from __future__ import annotations

import gradio as gr

from apps.zero_shot import compare, contrastive, many, one_picture
from workbench.engine import Engine


def build(engine: Engine) -> None:
    """Lay out the views as inner tabs."""
    with gr.Tabs():
        with gr.Tab("One picture", id="one"):
            one_picture.build(engine)
        with gr.Tab("Contrastive", id="contrastive"):
            contrastive.build(engine)
        with gr.Tab("Many pictures", id="many"):
            many.build(engine)
        with gr.Tab("Compare", id="compare"):
            compare.build(engine)
