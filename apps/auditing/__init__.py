"""Audits: choose an audit, models and images, see the cost, run it, read the report, compare runs, set thresholds."""

from __future__ import annotations

import gradio as gr

from apps.auditing import compare_runs, form, gate, helping, report
from apps.auditing.collecting import RUN
from apps.shared.page import Page


def build(page: Page) -> None:
    """Lay out the parts as inner tabs; they share the runs of this visitor with the other views."""
    run_list = page.runs
    with gr.Tabs() as tabs:
        with gr.Tab("Report", id="audit-report") as read:
            mark = page.first.mark("audits")
            helping.build(page, run_list, report.build(run_list))
        with gr.Tab("Run", id=RUN):
            event = form.build(page, run_list, tabs)
        with gr.Tab("Compare runs", id="audit-compare"):
            compare_runs.build(run_list)
        with gr.Tab("Gate", id="audit-gate"):
            gate.build(run_list)
    with read:
        page.first.show("audits", event, {}, mark=mark, ready=True)
