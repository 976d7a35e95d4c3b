"""Read: the report of a run in the page, the table of its numbers, the pictures behind each, and everything as files.

Knows the view. The report stands in a frame of its own that runs no script.
"""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path
from typing import Any

import gradio as gr

from apps._handler import LIGHT, handler
from apps._uploads import folder_beside_uploads
from apps._widgets import literal, table
from apps.auditing.behind import in_words, look, slice_of
from apps.auditing.run_list import EMPTY_SAYS, RunList
from audits import reporting
from audits.run_directory.reader import Run
from workbench.errors import BadInput

NUMBERS = ["metric", "labels", "slice", "n", "value", "low", "high", "null 95 %", "p, adjusted", "flags"]
BEHIND = ["picture", "form", "counted", "answered", "truth"]
_SCRIPT = re.compile(r"<script\b.*?</script\s*>", re.DOTALL | re.IGNORECASE)
FRAME = "width:100%;height:75vh;min-height:24rem;border:1px solid var(--block-border-color);border-radius:8px"


def framed(report: str) -> str:
    """Return a report as a frame, in one line that Markdown leaves alone: its scripts are taken out, none may run."""
    inside = html.escape(_SCRIPT.sub("", report), quote=True)
    for sign in "\n\r$*_`~|[]":  # a blank line would end the frame; the others could become markup or formulas
        inside = inside.replace(sign, f"&#{ord(sign)};")
    return f'<iframe sandbox title="The report" style="{FRAME}" srcdoc="{inside}"></iframe>'


def written(run: Run) -> tuple[str, str, str]:
    """Write report, table, and a zip of the run with every kind of report; return their paths, swept with uploads."""
    place = folder_beside_uploads("audit-report-")
    page = reporting.write([run.folder], place / "report.html")
    numbers = reporting.write([run.folder], place / "metrics.csv")
    whole = place / "whole"
    shutil.copytree(run.folder, whole / run.folder.name)
    shutil.copyfile(page, whole / "report.html")
    for name in ("report.md", "report.json", "junit.xml", "report.card.md"):
        reporting.write([run.folder], whole / name)
    packed = shutil.make_archive(str(place / run.folder.name), "zip", whole)
    return str(page), str(numbers), packed


def number_rows(run: Run) -> list[list[str | float]]:
    """Return the table of measures as it is shown: rounded, and with words where there is no number."""
    rows: list[list[str | float]] = []
    for row in run.metrics.to_dict("records"):
        cut = in_words(slice_of(row["slice"])) or str(row["slice_by"])
        name = str(row["metric"]) + ("" if row["contrast"] == "none" else f" ({row['contrast'].replace('_', ' ')})")
        numbers = [_shown(row[key]) for key in ("value", "ci_low", "ci_high", "null_q95", "p_adj")]
        rows.append([name, str(row["label_set"]), cut, _shown(row["n"]), *numbers, str(row["flags"])])
    return rows


def build(run_list: gr.State) -> None:
    """Lay out the view."""
    with gr.Row():
        chosen = gr.Dropdown([], label="Run", info="The newest first.", scale=4, elem_id="audit-chosen")
        page = gr.DownloadButton("Report (HTML)", interactive=False, size="sm", elem_id="audit-html")
        numbers = gr.DownloadButton("Table (CSV)", interactive=False, size="sm", elem_id="audit-csv")
        everything = gr.DownloadButton("Everything (zip)", interactive=False, size="sm", elem_id="audit-zip")
    status = gr.Markdown(EMPTY_SAYS, elem_classes=["live", "notes"], elem_id="audit-reading")
    # gr.HTML needs `unsafe-eval`; this one widget takes nothing but `framed`
    frame = gr.Markdown(elem_id="audit-report", sanitize_html=False)
    with gr.Accordion("Numbers, and the pictures behind them", open=True):
        grid = table(NUMBERS, "All measures: click a row to see what stands behind it", elem_id="audit-numbers")
        people = gr.Checkbox(
            label="Show pictures of people", info="They are left out unless you ask for them.", elem_id="audit-people"
        )
        said = gr.Markdown(elem_classes=["live", "notes"], elem_id="audit-behind-says")
        samples = table(BEHIND, "Pictures behind the row", elem_id="audit-behind")
        gallery = gr.Gallery(label="Pictures", columns=6, height=360, elem_id="audit-gallery", visible=False)

    @handler
    def show(key: str, kept: RunList) -> tuple[Any, ...]:
        if not key:
            return EMPTY_SAYS, "", [], *[gr.update(interactive=False)] * 3, "", [], gr.update(visible=False)
        run = kept.get(key)
        files = written(run)
        ready = [gr.update(value=path, interactive=True) for path in files]
        head = run.header
        warnings = "".join(f"\n- {literal(one)}" for one in run.warnings)
        told = f"**{literal(head.spec.title)}** of {literal(head.spec.model)}: {literal(head.spec.question)}{warnings}"
        report = framed(Path(files[0]).read_text(encoding="utf-8"))
        return told, report, number_rows(run), *ready, "", [], gr.update(visible=False)

    @handler
    def pictures(key: str, kept: RunList, faces: bool, event: gr.SelectData) -> tuple[Any, ...]:
        run = kept.get(key)
        at = int(event.index[0])
        if not 0 <= at < len(run.metrics):
            raise BadInput("Choose a row of the table.")
        row = run.metrics.iloc[at]
        cut = slice_of(str(row["slice"]))
        found = look(run, str(row["metric"]), cut, label_set=str(row["label_set"]), people=faces)
        return literal(found.said), found.rows, gr.update(value=found.pictures, visible=bool(found.pictures))

    hidden: dict[str, Any] = {"api_visibility": "private"}
    run_list.change(
        lambda kept: gr.update(choices=kept.choices(), value=kept.runs[0] if kept.runs else None),
        run_list, chosen, show_progress="hidden", **hidden, **LIGHT,
    )  # fmt: skip
    chosen.change(
        show, [chosen, run_list], [status, frame, grid, page, numbers, everything, said, samples, gallery],
        show_progress_on=[status], **hidden,
    )  # fmt: skip
    grid.select(pictures, [chosen, run_list, people], [said, samples, gallery], show_progress_on=[said], **hidden)


def _shown(value: Any) -> str | float:
    """Return a number as a table shows it; what is not defined is a dash, never a zero."""
    if value is None or value != value or str(value) == "<NA>":
        return "–"
    number = float(value)
    return int(number) if number.is_integer() and abs(number) >= 2 else round(number, 4)
