"""Audits: choose a question, a model and pictures, see what it costs, run it, read the report, compare, set thresholds.

Knows only how its views are ordered; what an audit is and does stands in the package `audits`.
"""

from __future__ import annotations

import gradio as gr

from apps.auditing import asking, comparing, gating, reading
from apps.auditing.run_list import EMPTY
from workbench.engine import Engine


def build(engine: Engine) -> None:
    """Lay out the views as inner tabs; they share the runs of this visitor."""
    run_list = gr.State(EMPTY)
    with gr.Tabs():
        with gr.Tab("Run", id="audit-run"):
            asking.build(engine, run_list)
        with gr.Tab("Read", id="audit-read"):
            reading.build(run_list)
        with gr.Tab("Compare runs", id="audit-compare"):
            comparing.build(run_list)
        with gr.Tab("Gate", id="audit-gate"):
            gating.build(run_list)
