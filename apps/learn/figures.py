"""Figures of the Learn view: the similarity matrix and the curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from apps.shared.charts import BLUE, ORANGE, Scale, heat_map, layout
from workbench.training.lesson import LessonSettings, Moment, watched


def matrix(similarity: np.ndarray) -> Any:
    """Draw the similarity matrix: drawings in rows, their sentences in columns, which are numbered to fit a phone."""
    names = [f"{number}  {one.caption.removeprefix('a ')}" for number, one in enumerate(watched(), start=1)]
    numbers = [str(number + 1) for number in range(len(names))]
    figure = heat_map(similarity, names, numbers, title="cosine", scale=Scale(span=(-0.5, 1.0)))
    figure.update_xaxes(tickangle=0, title="sentence")
    return figure


def _alt(course: Sequence[Moment]) -> str:
    measured = [one.unseen.value for one in course if one.unseen is not None and one.unseen.value is not None]
    accuracy = (
        f"accuracy on held-out pairs from {100 * measured[0]:.0f} % to {100 * measured[-1]:.0f} %" if measured else ""
    )
    losses = f"Loss over {len(course)} steps, from {course[0].loss:.2f} to {course[-1].loss:.2f}" if course else "Loss"
    return "; ".join(filter(None, (losses, accuracy))) + "."


def curves(course: Sequence[Moment], lesson: LessonSettings) -> Any:
    """Draw loss (left axis) and the accuracy on held-out pairs (right axis) over the steps."""
    import plotly.graph_objects as go

    measured = [one for one in course if one.unseen is not None]
    figure = go.Figure()
    figure.add_scatter(x=[one.step for one in course], y=[one.loss for one in course], name="loss", line_color=BLUE)
    figure.add_scatter(
        x=[one.step for one in measured],
        y=[one.unseen.value for one in measured if one.unseen is not None],
        name="accuracy on held-out pairs",
        mode="lines+markers",
        line={"color": ORANGE, "dash": "dot"},
        yaxis="y2",
    )
    figure.update_layout(
        layout(320, alt=_alt(course)),
        xaxis={"title": "step", "range": [0, lesson.steps], "automargin": True, "zeroline": False},
        yaxis={"title": "loss", "rangemode": "tozero", "automargin": True, "zeroline": False},
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "range": [0, 1.02],
            "tickformat": ".0%",
            "showgrid": False,
            "zeroline": False,
        },
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.25, "yanchor": "top"},
    )
    return figure
