"""Compare two runs of this visitor, image by image, with what flipped."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pandas as pd

from apps.auditing.evidence import in_words, slice_of
from apps.shared.events import LIGHT, handler
from apps.shared.markdown import literal
from apps.shared.upload_folders import folder_beside_uploads
from apps.shared.visitor_runs import NO_RUN, RunList
from apps.shared.widgets import table
from audits.comparing import Comparison, compare
from audits.reporting.writing import write_comparison

PAIRED = ["metric", "labels", "slice", "pairs", "difference", "low", "high", "p, adjusted"]
CORRECTIONS = [("Benjamini-Hochberg", "bh"), ("Holm", "holm"), ("none", "none")]
WORDS = {key: word for word, key in CORRECTIONS}
MOST_FLIPS = 200  # rows shown; the files hold all
IDLE = "Choose two runs of one audit by one protocol on the same images, for example of two models."


def paired_rows(result: Comparison) -> list[list[str | float]]:
    """Return the differences, candidate minus base, as table rows."""
    columns = ("n", "value", "ci_low", "ci_high", "p_adj")
    return [
        [
            str(row["metric"]),
            str(row["label_set"]),
            in_words(slice_of(row["slice"])) or "all",
            *("–" if pd.isna(row[key]) else round(float(row[key]), 4) for key in columns),
        ]
        for row in result.metrics.to_dict("records")
    ]


def flip_rows(result: Comparison) -> tuple[list[str], list[list[str]]]:
    """Return headers and rows of the images whose outcome changed, as text."""
    shown = result.flips.head(MOST_FLIPS)
    return [str(name) for name in shown.columns], [
        ["" if pd.isna(cell) else str(cell) for cell in row] for row in shown.itertuples(index=False, name=None)
    ]


def summary(result: Comparison) -> str:
    """Return what was compared, the number of tests, and what differed between the runs, as Markdown."""
    rule = WORDS.get(result.correction, result.correction)
    text = (
        f"{literal(result.models[1])} minus {literal(result.models[0])}: {len(result.metrics)} differences, "
        f"{result.tests} tests corrected together ({literal(rule)}), {len(result.flips)} flips."
    )
    if result.mismatches:
        text += f"\n\n**Not measured alike:** {literal('; '.join(result.mismatches))}. Differences may come from that."
    return text


def build(run_list: gr.State) -> None:
    """Lay out the view."""
    with gr.Row():
        base = gr.Dropdown([], label="Base", info="Baseline run for the differences.", elem_id="audit-compare-base")
        candidate = gr.Dropdown(
            [], label="Candidate", info="Run to compare with the baseline.", elem_id="audit-compare-candidate"
        )
    with gr.Row():
        rule = gr.Radio(CORRECTIONS, value="bh", label="Correction", info="Multiple-testing correction.")
        allow = gr.Checkbox(label="Compare although protocol or images differ", info="The result says so.")
    go = gr.Button("Compare", variant="primary", elem_id="audit-compare-go")
    status = gr.Markdown(IDLE, elem_classes=["live", "notes"], elem_id="audit-compare-status")
    grid = table(PAIRED, "Differences, candidate minus base, with paired intervals", elem_id="audit-compare-table")
    flips = table(["sample_id"], f"Images that flipped (the first {MOST_FLIPS})", elem_id="audit-compare-flips")
    page = gr.DownloadButton("Comparison (HTML)", interactive=False, size="sm", elem_id="audit-compare-html")

    @handler
    def side_by_side(runs: RunList, one: str, other: str, correction: Any, mismatch: bool) -> tuple[Any, ...]:
        first, second = runs.get(one), runs.get(other)
        result = compare(first.folder, second.folder, correction=correction, allow_mismatch=bool(mismatch))
        place = folder_beside_uploads("audit-compare-")
        file = write_comparison(result, place / "comparison.html")
        names, rows = flip_rows(result)
        ready = gr.update(value=str(file), interactive=True)
        return summary(result), paired_rows(result), gr.update(value=rows, headers=names), ready

    def menus(runs: RunList) -> tuple[Any, Any]:
        choices, keys = runs.choices(), runs.runs
        return (
            gr.update(choices=choices, value=keys[1] if len(keys) > 1 else None),
            gr.update(choices=choices, value=keys[0] if keys else None),
        )

    hidden: dict[str, Any] = {"api_visibility": "private"}
    run_list.change(menus, run_list, [base, candidate], **LIGHT)
    run_list.change(lambda listed: IDLE if listed.runs else NO_RUN, run_list, status, **LIGHT)
    go.click(
        side_by_side, [run_list, base, candidate, rule, allow], [status, grid, flips, page], show_progress_on=[status],
        **hidden,
    )  # fmt: skip
