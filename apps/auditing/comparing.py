"""Compare: two runs of this visitor side by side, picture by picture, with what flipped.

Knows the view; pairing and tests stand in `audits.comparing`.
"""

from __future__ import annotations

from typing import Any

import gradio as gr
import pandas as pd

from apps._handler import LIGHT, handler
from apps._uploads import folder_beside_uploads
from apps._widgets import literal, table
from apps.auditing.behind import in_words, slice_of
from apps.auditing.run_list import EMPTY_SAYS, RunList
from audits.comparing import Comparison, compare
from audits.reporting.writing import write_comparison

PAIRED = ["metric", "labels", "slice", "pairs", "difference", "low", "high", "p, adjusted"]
CORRECTIONS = [("Benjamini-Hochberg", "bh"), ("Holm", "holm"), ("none", "none")]
WORDS = {key: word for word, key in CORRECTIONS}
MOST_FLIPS = 200  # rows shown; the files hold all
IDLE = "Choose two runs of one audit by one protocol on the same pictures, such as two models."


def paired_rows(found: Comparison) -> list[list[str | float]]:
    """Return the differences, candidate minus base, as table rows."""
    columns = ("n", "value", "ci_low", "ci_high", "p_adj")
    return [
        [
            str(row["metric"]),
            str(row["label_set"]),
            in_words(slice_of(row["slice"])) or "everybody",
            *("–" if pd.isna(row[key]) else round(float(row[key]), 4) for key in columns),
        ]
        for row in found.metrics.to_dict("records")
    ]


def flip_rows(found: Comparison) -> tuple[list[str], list[list[str]]]:
    """Return headers and rows of the pictures whose outcome changed, as text."""
    shown = found.flips.head(MOST_FLIPS)
    return [str(name) for name in shown.columns], [
        ["" if pd.isna(cell) else str(cell) for cell in row] for row in shown.itertuples(index=False, name=None)
    ]


def summary(found: Comparison) -> str:
    """Say what was compared, in how many tests, and what differed between the runs."""
    rule = WORDS.get(found.correction, found.correction)
    said = (
        f"{literal(found.models[1])} minus {literal(found.models[0])}: {len(found.metrics)} differences, "
        f"{found.tests} tests corrected together ({literal(rule)}), {len(found.flips)} flips."
    )
    if found.mismatches:
        said += f"\n\n**Not measured alike:** {literal('; '.join(found.mismatches))}. Read the differences with care."
    return said


def build(run_list: gr.State) -> None:
    """Lay out the view."""
    with gr.Row():
        base = gr.Dropdown([], label="Base", info="What is compared against.", elem_id="compare-base")
        candidate = gr.Dropdown([], label="Candidate", info="What may be better or worse.", elem_id="compare-candidate")
    with gr.Row():
        rule = gr.Radio(CORRECTIONS, value="bh", label="Correction", info="For many tests at once.")
        allow = gr.Checkbox(label="Compare although protocol or pictures differ", info="The result says so.")
    go = gr.Button("Compare", variant="primary", elem_id="compare-go")
    status = gr.Markdown(IDLE, elem_classes=["live", "notes"], elem_id="compare-says")
    grid = table(PAIRED, "Differences, candidate minus base, with paired intervals", elem_id="compare-table")
    flips = table(["sample_id"], f"Pictures that flipped (the first {MOST_FLIPS})", elem_id="compare-flips")
    page = gr.DownloadButton("Comparison (HTML)", interactive=False, size="sm", elem_id="compare-html")

    @handler
    def side_by_side(kept: RunList, one: str, other: str, correction: Any, mismatch: bool) -> tuple[Any, ...]:
        first, second = kept.get(one), kept.get(other)
        found = compare(first.folder, second.folder, correction=correction, allow_mismatch=bool(mismatch))
        place = folder_beside_uploads("audit-compare-")
        file = write_comparison(found, place / "comparison.html")
        names, rows = flip_rows(found)
        ready = gr.update(value=str(file), interactive=True)
        return summary(found), paired_rows(found), gr.update(value=rows, headers=names), ready

    def menus(kept: RunList) -> tuple[Any, Any]:
        choices, runs = kept.choices(), kept.runs
        return (
            gr.update(choices=choices, value=runs[1] if len(runs) > 1 else None),
            gr.update(choices=choices, value=runs[0] if runs else None),
        )

    hidden: dict[str, Any] = {"api_visibility": "private"}
    run_list.change(menus, run_list, [base, candidate], show_progress="hidden", **hidden, **LIGHT)
    run_list.change(
        lambda kept: IDLE if kept.runs else EMPTY_SAYS, run_list, status, show_progress="hidden", **hidden, **LIGHT
    )
    go.click(
        side_by_side, [run_list, base, candidate, rule, allow], [status, grid, flips, page], show_progress_on=[status],
        **hidden,
    )  # fmt: skip
