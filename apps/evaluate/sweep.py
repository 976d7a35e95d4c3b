"""The probe's sweep: accuracy on the validation images by L2 penalty, with the chosen one marked, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from apps.evaluate.figures import COLOURS, DASHES, SYMBOLS
from apps.shared.charts import layout, plain
from apps.shared.widgets import COLLAPSED, table
from workbench.probes.evaluation import PROBE, ModelEvaluation
from workbench.probes.strength import GRID, Sweep

EXPLAINED = f"""
The probe has one setting: its L2 penalty. The search tries seven of {len(GRID) - 1} steps from 1e-6 to 1e6, then halves
the gap around the best (Radford et al. 2021, appendix A.3). Of equal accuracies the more probable truth decides, then
the stronger penalty. The probe is then fitted on training and validation images together.
"""


def build() -> dict[str, Any]:
    """Lay out the part; return its widgets by the names of `screen`."""
    with gr.Tab("The probe's penalty", elem_id="sweep", render_children=True):
        gr.Markdown(EXPLAINED, elem_classes="notes")
        chart = gr.Plot(label="Accuracy on validation images", visible=COLLAPSED, elem_id="sweep-chart")
        rows = table(["penalty"], "Penalties that were tried", visible=COLLAPSED, elem_id="sweep-table")
    return {"curve": chart, "penalties": rows}


def screen(rows: Sequence[ModelEvaluation]) -> dict[str, Any]:
    """Return what the widgets take, from the rows so far."""
    sweeps = {row.title: sweep for row in rows if (sweep := sweep_of(row))}
    if not sweeps:
        return {"curve": gr.skip(), "penalties": gr.skip()}
    return {
        "curve": gr.update(value=sweep_figure(sweeps), visible=True),
        "penalties": gr.update(value=table_rows(sweeps), headers=["penalty", *sweeps], visible=True),
    }


def sweep_of(row: ModelEvaluation) -> Sweep | None:
    """Return the sweep of a model's full probe; None where it was not fitted."""
    return row.answers[PROBE].sweep if PROBE in row.answers else None


def table_rows(sweeps: dict[str, Sweep]) -> list[list[str]]:
    """Return one row a penalty and one column a model; penalties that a model did not need stay empty."""
    tried = {title: dict(sweep.points) for title, sweep in sweeps.items()}
    lines = []
    for strength in sorted({strength for points in tried.values() for strength in points}):
        cells = [
            f"{100 * points[strength]:.1f} %{' (chosen)' if strength == sweeps[title].strength else ''}"
            if strength in points
            else ""
            for title, points in tried.items()
        ]
        lines.append([f"{strength:.3g}", *cells])
    return lines


def sweep_figure(sweeps: dict[str, Sweep]) -> Any:
    """Draw each model's accuracy over the penalty, on a logarithmic axis; the chosen one is ringed."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for number, (title, sweep) in enumerate(sweeps.items()):
        colour = COLOURS[number % len(COLOURS)]
        strengths, shares = zip(*sweep.points, strict=True)
        figure.add_scatter(
            x=strengths,
            y=shares,
            name=plain(title),
            mode="lines+markers",
            line={"color": colour, "dash": DASHES[number % len(DASHES)]},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 7},
            hovertemplate="penalty %{x:.3g}: %{y:.1%}<extra>%{fullData.name}</extra>",
        )
        figure.add_scatter(
            x=[sweep.strength],
            y=[dict(sweep.points)[sweep.strength]],
            name=plain(f"{title}: chosen"),
            mode="markers",
            marker={"symbol": "circle-open", "size": 17, "color": colour, "line": {"width": 3}},
            hovertemplate="chosen: penalty %{x:.3g}, %{y:.1%}<extra></extra>",
        )
    chosen = "; ".join(f"{title}: {sweep.strength:.3g}" for title, sweep in sweeps.items())
    figure.update_layout(layout(height=330, alt=f"Accuracy on validation images by L2 penalty. Chosen: {chosen}."))
    figure.update_layout(legend={"x": 0, "xanchor": "left", "y": -0.3, "yanchor": "top"})
    figure.update_xaxes(title="L2 penalty", type="log", exponentformat="power", zeroline=False)
    figure.update_yaxes(title="accuracy, validation", tickformat=".0%", zeroline=False)
    return figure
