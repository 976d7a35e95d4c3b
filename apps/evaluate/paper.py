"""The CLIP paper's figures from what this page has evaluated: several data sets, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr
import numpy as np

from apps.shared.events import LONG, handler, owner
from apps.shared.page import Page
from apps.shared.percentages import as_points, percent
from apps.shared.suite_charts import duels_figure, points_figure
from apps.shared.widgets import COLLAPSED, table
from workbench.engine.tasks import COUNT_OPERATIONS
from workbench.errors import BadInput
from workbench.probes.embedding import model_ref
from workbench.probes.suite import plots
from workbench.probes.suite.lines import correlation, log_log_slope
from workbench.probes.suite.paper_sets import PROBED, paper_set

IDLE = "Evaluate two data sets or more; each stays on this list, and the paper's figures are drawn from them."
EXPLAINED = """
**Zero-shot against a rival's probe**: in how many sets does zero-shot win? In the CLIP paper the rival is ResNet-50's
probe, and zero-shot wins on 16 of 27. **Transfer**: a model's mean over the other sets, against one of them.
**Compute**: zero-shot error against the image tower's GMACs, counted. Data sets named like one of the paper's 27 show
its published probes; the shell command `suite` measures many folders at once.
"""
HEADERS = ["data set", "zero-shot", "rival's probe", "difference", "verdict", "published probes"]
COUNTED = 2  # images of noise


def build(page: Page, runs: gr.State) -> None:
    """Lay out the part, in an accordion below the table.

    Args:
        page: of the view.
        runs: title of a data set -> `SetRun`.
    """
    with gr.Tab("The paper's figures from your data sets", elem_id="paper", render_children=True):
        gr.Markdown(EXPLAINED, elem_classes="notes")
        with gr.Row():
            model = gr.Textbox(page.engine.default, label="Zero-shot of", info="Key of a model.", elem_id="paper-model")
            rival = gr.Textbox(page.engine.default, label="Rival", info="Whose probe it is compared with.")
            reference = gr.Textbox("", label="Transfer from", info="Title of a data set; the first where empty.")
        go = gr.Button("Draw the figures", variant="primary", elem_id="paper-go")
        status = gr.Markdown(IDLE, elem_classes="live", elem_id="paper-status")
        charts = [
            gr.Plot(label=label, visible=COLLAPSED, elem_id=f"paper-chart-{number}")
            for number, label in enumerate(
                ("Zero-shot minus rival's probe", "Probe against zero-shot", "Transfer", "Compute")
            )
        ]
        results = table(HEADERS, "Data sets", elem_id="paper-table", visible=COLLAPSED)

    @handler
    def draw(
        known: Mapping[str, plots.SetRun] | None, model: str, rival: str, reference: str, request: gr.Request
    ) -> tuple[Any, ...]:
        if not known:
            raise BadInput(IDLE)
        listed = list(known.values())
        duels = plots.duels(listed, model.strip(), rival.strip())
        points = plots.pairs(listed, model.strip())
        first = reference.strip() or listed[0].title
        others = plots.transfer(listed, first) if len(listed) > 1 else []
        gmacs = {}
        for key in dict.fromkeys(row.model for run in listed for row in run.rows):
            with page.engine.session(owner(request), model_ref(key)) as session:
                side = session.image_size
                (gmacs[key],) = session.stream(COUNT_OPERATIONS, np.zeros((COUNTED, 3, side, side), np.uint8))
        compute = plots.scaling(listed, gmacs)
        figures = [
            duels_figure(duels),
            points_figure(points, x="zero-shot accuracy", y="probe accuracy", diagonal=True),
            points_figure(others, x=first, y="mean of the other sets") if others else None,
            points_figure(compute, x="GMACs an image", y="mean error", logs=True) if compute else None,
        ]
        shown = [gr.update(value=figure, visible=figure is not None) for figure in figures]
        return summary(duels, points, compute), *shown, gr.update(value=rows(duels), visible=True)

    go.click(draw, [runs, model, rival, reference], [status, *charts, results], api_visibility="private", **LONG)


def summary(duels: list[plots.Duel], points: list[plots.PlotPoint], compute: list[plots.PlotPoint]) -> str:
    """Say in how many sets zero-shot wins, and how probe and zero-shot go together."""
    wins = sum((duel.difference.value or 0) > 0 for duel in duels)
    sure = sum(duel.verdict == plots.WINS for duel in duels)
    text = f"Zero-shot is higher on **{wins} of {len(duels)}** data sets, beyond chance on {sure}."
    if (r := correlation(points)) is not None:
        text += f" Probe and zero-shot correlate with r = {r:.2f} over {len(points)} sets."
    if (slope := log_log_slope(compute)) is not None:
        text += f" Slope of log error over log GMACs: {slope:.2f}."
    return text


def rows(duels: list[plots.Duel]) -> list[list[str]]:
    """Return one row a data set."""
    lines = []
    for duel in duels:
        known = paper_set(duel.title)
        short = [key.removeprefix("openai/clip-vit-") for key in PROBED]
        published = (
            ", ".join(f"{name} {value}" for name, value in zip(short, known.probes, strict=True)) if known else ""
        )
        lines.append(
            [
                duel.title,
                percent(duel.zero_shot),
                percent(duel.probe),
                as_points(duel.difference),
                duel.verdict,
                published,
            ]
        )
    return lines
