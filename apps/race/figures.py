"""Figures of the race: accuracy with bands over seeds, and the matrices of one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from apps.shared.charts import VALUES, Scale, heat_map, layout
from workbench.training.race import RaceResult, RunnerCurve, conclude
from workbench.training.race.export import COLOURS
from workbench.training.race.results import SlowMotion

DASHES = ("solid", "dash", "dot", "dashdot", "longdash")  # told apart without colour, too


def curves_figure(curves: Sequence[RunnerCurve], axis: str) -> Any:
    """Draw each runner's mean accuracy with the range over its seeds, against images seen or seconds."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for result, colour, dash in zip(conclude(curves), COLOURS, DASHES, strict=False):
        points = len(result.images)
        own = [curve.seconds[:points] for curve in curves if curve.runner == result.runner]
        x = list(result.images) if axis == "images" else np.mean(own, axis=0).tolist()
        figure.add_scatter(
            x=[*x, *reversed(x)],
            y=[*result.highest, *reversed(result.lowest)],
            fill="toself",
            fillcolor=colour,
            opacity=0.2,
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=x,
            y=list(result.accuracy),
            name=result.runner.name,
            line={"color": colour, "dash": dash},
            mode="lines+markers",
        )
    figure.update_layout(layout(height=380, alt=_alt(conclude(curves), axis)))
    figure.update_layout(
        xaxis={"title": "images seen" if axis == "images" else "seconds of training"},
        yaxis={"title": "zero-shot accuracy", "tickformat": ".0%", "rangemode": "tozero"},
        legend={"x": 0, "xanchor": "left", "y": -0.25, "yanchor": "top"},
    )
    return figure


def _alt(results: Sequence[RaceResult], axis: str) -> str:
    ends = "; ".join(
        "{} {:.0f} % ({:.0f} to {:.0f} %)".format(
            result.runner.name, *(100 * share[-1] for share in (result.accuracy, result.lowest, result.highest))
        )
        for result in results
    )
    against = "images seen" if axis == "images" else "seconds of training"
    return f"Curves of zero-shot accuracy against {against}, with bands over seeds. Now: {ends}."


def slow_motion_figure(frame: int, motion: SlowMotion) -> Any:
    """Draw the matrix of a frame, 2..6: images in rows, captions in columns."""
    values, title = frame_values(frame, motion)
    names = [text.removeprefix("a ") for text in motion.texts]
    most = float(np.abs(values).max())
    scale = Scale("RdBu", (-most, most)) if frame == 5 else VALUES  # signed: pulled together, pushed apart
    figure = heat_map(values, names, names, title=title, scale=scale)
    own, others = values.diagonal(), values[~np.eye(len(values), dtype=bool)]
    alt = (
        f"Matrix of six images (rows) and six captions (columns), {title}. True pairs: {own.min():.2f} to "
        f"{own.max():.2f}; all others: {others.min():.2f} to {others.max():.2f}. The table below has each number."
    )
    figure.update_layout(meta={"alt": alt})
    return figure


def frame_values(frame: int, motion: SlowMotion) -> tuple[np.ndarray, str]:
    """Return the (n, n) numbers of a frame, 2..6, and what they are."""
    return (
        (motion.cosines, "cosine"),
        (motion.text_given_image, "probability"),
        (motion.image_given_text, "probability"),
        (motion.gradient, "gradient"),
        (motion.after, "cosine"),
    )[frame - 2]
