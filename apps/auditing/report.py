"""The report of a run in the page, the table of its numbers, the images behind each, and everything as files.

The report is shown in a frame that runs no script.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

import gradio as gr
import pandas as pd

from apps.auditing.evidence import Evidence, evidence, evidence_of, in_words, slice_of
from apps.shared.events import LIGHT, handler
from apps.shared.markdown import literal
from apps.shared.run_downloads import run_files
from apps.shared.visitor_runs import NO_RUN, RunList
from apps.shared.what_now import what_now
from apps.shared.widgets import table
from audits.run_directory.reader import Run
from workbench.errors import BadInput
from workbench.statistics.p_values import written
from workbench.statistics.row import LEAST_P

NUMBERS = ["metric", "slice", "value", "95 % interval", "n", "labels", "null 95 %", "p, adjusted", "flags"]
WIDTHS = ["23%", "17%", "9%", "15%", "7%", "16%", "9%", "9%", "12%"]
FINDINGS = ["finding", "strength"]
BEHIND = ["image", "form", "counted", "answer", "truth"]
_SCRIPT = re.compile(r"<script\b.*?</script\s*>", re.DOTALL | re.IGNORECASE)
FRAME = "width:100%;height:75vh;min-height:24rem;border:1px solid var(--block-border-color);border-radius:8px"


def framed(report: str) -> str:
    """Return a report as a frame, in one line that Markdown leaves alone: scripts are removed, none may run."""
    inside = html.escape(_SCRIPT.sub("", report), quote=True)
    for sign in "\n\r$*_`~|[]":  # a blank line would end the frame; the others could become markup or formulas
        inside = inside.replace(sign, f"&#{ord(sign)};")
    return f'<iframe sandbox title="The report" style="{FRAME}" srcdoc="{inside}"></iframe>'


def number_rows(run: Run) -> list[list[str | float]]:
    """Return the table of measures, rounded: what, value, interval and n first, everything else behind."""
    rows: list[list[str | float]] = []
    for row in run.metrics.to_dict("records"):
        cut = in_words(slice_of(row["slice"])) or str(row["slice_by"])
        name = str(row["metric"]) + ("" if row["contrast"] == "none" else f" ({row['contrast'].replace('_', ' ')})")
        low, high = _cell(row["ci_low"]), _cell(row["ci_high"])
        interval = "–" if low == high == "–" else f"{low} to {high}"
        rest = [str(row["label_set"]), _cell(row["null_q95"]), _p(row), str(row["flags"])]
        rows.append([name, cut or "all", _cell(row["value"]), interval, _cell(row["n"]), *rest])
    return rows


def not_judged(run: Run) -> str:
    """Name what the run could not judge, as Markdown; nothing where every group is judged."""
    missing = [one for one in run.findings if one.strength == "not judged"]
    groups = [", ".join(f"{name} {value}" for name, value in (one.slice or {}).items()) for one in missing]
    texts = [re.sub(r"^Not judged[^:]*: ", "", one.text).split(": ")[0] for one in missing]  # without the numbers
    names = dict.fromkeys(group or text for group, text in zip(groups, texts, strict=True))
    return f"\n\n**Not judged within 10 points:** {literal('; '.join(names))}" if names else ""


def build(run_list: gr.State) -> gr.Dropdown:
    """Lay out the view; returns the menu of runs."""
    with gr.Row():
        chosen = gr.Dropdown([], label="Run", info="Newest first.", scale=4, elem_id="audit-chosen")
        page = gr.DownloadButton("Report (HTML)", interactive=False, size="sm", elem_id="audit-html")
        numbers = gr.DownloadButton("Table (CSV)", interactive=False, size="sm", elem_id="audit-csv")
        everything = gr.DownloadButton("Everything (zip)", interactive=False, size="sm", elem_id="audit-zip")
    status = gr.Markdown(NO_RUN, elem_classes=["live", "notes"], elem_id="audit-report-status")
    what_now(
        ("Run all audits in three minutes", "audits", "audit-everything"),
        ("Compare two runs", "audits", "audit-compare-button"),
        ("Set limits that a model must keep", "audits", "audit-gate-button"),
    )
    # gr.HTML needs `unsafe-eval`; this one widget takes nothing but `framed`
    frame = gr.Markdown(elem_id="audit-report", sanitize_html=False)
    with gr.Accordion("Numbers, and the images behind them", open=True, visible=False) as numbers_part:
        finding_rows = table(
            FINDINGS, "Findings. Click one to see the images behind it.", column_widths=["84%", "16%"],
            elem_id="audit-findings",
        )  # fmt: skip
        grid = table(
            NUMBERS, "All measures. Click a row to see the images behind it.", column_widths=WIDTHS,
            elem_id="audit-numbers",
        )  # fmt: skip
        people = gr.Checkbox(label="Show images of people", info="Hidden unless you tick this.", elem_id="audit-people")
        text = gr.Markdown(elem_classes=["live", "notes"], elem_id="audit-behind-status")
        samples = table(BEHIND, "Images behind the row", visible=False, elem_id="audit-behind")
        gallery = gr.Gallery(label="Images", columns=6, height=360, elem_id="audit-gallery", visible=False)

    @handler
    def show(key: str, runs: RunList) -> tuple[Any, ...]:
        nothing_behind = ("", gr.update(value=[], visible=False), gr.update(visible=False))
        if not key:
            return NO_RUN, "", [], [], *[gr.update(interactive=False)] * 3, *nothing_behind, gr.update(visible=False)
        run = runs.get(key)
        files = run_files([run])
        ready = [gr.update(value=str(path), interactive=True) for path in (files.page, files.numbers, files.packed)]
        head = run.header
        warnings = "".join(f"\n- {literal(one)}" for one in run.warnings)
        line = f"**{literal(head.spec.title)}** of {literal(head.spec.model)}: {literal(head.spec.question)}{warnings}"
        line += not_judged(run)
        report = framed(files.page.read_text(encoding="utf-8"))
        findings = [[one.text, one.strength] for one in run.findings]
        return line, report, findings, number_rows(run), *ready, *nothing_behind, gr.update(visible=True)

    @handler
    def images_behind(key: str, runs: RunList, faces: bool, event: gr.SelectData) -> tuple[Any, ...]:
        run = runs.get(key)
        at = int(event.index[0])
        if not 0 <= at < len(run.metrics):
            raise BadInput("Choose a row of the table.")
        row = run.metrics.iloc[at]
        cut = slice_of(str(row["slice"]))
        return _behind(evidence(run, str(row["metric"]), cut, label_set=str(row["label_set"]), people=faces))

    @handler
    def images_of_finding(key: str, runs: RunList, faces: bool, event: gr.SelectData) -> tuple[Any, ...]:
        run = runs.get(key)
        at = int(event.index[0])
        if not 0 <= at < len(run.findings):
            raise BadInput("Choose a finding of the table.")
        return _behind(evidence_of(run, run.findings[at], people=faces))

    hidden: dict[str, Any] = {"api_visibility": "private"}
    run_list.change(
        lambda listed: gr.update(choices=listed.choices(), value=listed.runs[0] if listed.runs else None),
        run_list, chosen, **LIGHT,
    )  # fmt: skip
    chosen.change(
        show, [chosen, run_list],
        [status, frame, finding_rows, grid, page, numbers, everything, text, samples, gallery, numbers_part],
        show_progress_on=[status], **hidden,
    )  # fmt: skip
    for rows, behind in ((grid, images_behind), (finding_rows, images_of_finding)):
        rows.select(
            behind, [chosen, run_list, people], [text, samples, gallery],
            show_progress_on=[text], trigger_mode="multiple", **hidden,
        )  # fmt: skip
    return chosen


def _p(row: Mapping[Any, Any]) -> str:
    """Write a p-value; "≤" stands before the smallest that the resamples can give."""
    return "–" if pd.isna(row["p_adj"]) else written(row["p_adj"], bound=LEAST_P in row["flags"]).removeprefix("= ")


def _behind(shown: Evidence) -> tuple[Any, ...]:
    rows = gr.update(value=shown.rows, visible=True)
    return literal(shown.text), rows, gr.update(value=shown.images, visible=bool(shown.images))


def _cell(value: Any) -> str | float:
    """Return a number as a table shows it; what is not defined is a dash, never a zero."""
    if value is None or value != value or str(value) == "<NA>":
        return "–"
    number = float(value)
    return int(number) if number.is_integer() and abs(number) >= 2 else round(number, 4)
