"""Figures of the Evaluate view: accuracy by number of shots with intervals, zero-shot at 0 and the probe at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.evaluate.words import columns
from apps.shared.charts import layout, plain
from workbench.probes.evaluation import ModelEvaluation

COLOURS = ("#3b82c4", "#d9822b", "#8a6fc0", "#2a9d8f", "#b5527a", "#7d8a2e")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star")


def _alt(rows: Sequence[ModelEvaluation]) -> str:
    models = "; ".join(
        f"{row.title}: "
        + ", ".join(f"{name} {100 * (answer.accuracy.value or 0):.0f} %" for name, answer in row.answers.items())
        for row in rows
    )
    return f"Accuracy on test images with intervals. {models}."


def accuracy_figure(rows: Sequence[ModelEvaluation]) -> Any:
    """Draw each model's accuracy in every column, with its interval; told apart by colour, dash and symbol."""
    import plotly.graph_objects as go

    names = columns(rows)
    figure = go.Figure()
    for number, row in enumerate(rows):
        shown = [name for name in names if name in row.answers]
        shares = [row.answers[name].accuracy for name in shown]
        values = [share.value or 0.0 for share in shares]
        offset = (number - (len(rows) - 1) / 2) * 0.08  # so that intervals stand beside each other
        figure.add_scatter(
            x=[names.index(name) + offset for name in shown],
            y=values,
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [(share.high or value) - value for share, value in zip(shares, values, strict=True)],
                "arrayminus": [value - (share.low or value) for share, value in zip(shares, values, strict=True)],
                "thickness": 1.5,
            },
            name=plain(row.title),
            mode="lines+markers",
            line={"color": COLOURS[number % len(COLOURS)], "dash": DASHES[number % len(DASHES)]},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 9},
            hovertemplate="%{y:.1%}<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(layout(height=380, alt=_alt(rows)))
    figure.update_layout(
        xaxis={
            "tickmode": "array",
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "tickangle": -30,
            "zeroline": False,
        },
        yaxis={"title": "accuracy on test images", "tickformat": ".0%", "range": [0, 1.03]},
        legend={"x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top"},
    )
    return figure
