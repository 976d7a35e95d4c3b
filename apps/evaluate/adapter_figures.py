"""Figures of few-shot methods: accuracy by shots, WiSE-FT's curve, and the plane of effective robustness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from apps.evaluate.figures import COLOURS, DASHES, SYMBOLS
from apps.shared.charts import layout, plain
from workbench.probes.adapters.methods import METHODS
from workbench.probes.evaluation import ZERO_SHOT
from workbench.probes.labelled import TEST

if TYPE_CHECKING:
    from workbench.probes.adapting import Adaptation
    from workbench.probes.robustness import Plane
    from workbench.statistics.intervals import Interval

SEVENTH = ("#a0623a", "dot", "hexagram")  # told from the six before it by colour, dash and symbol together
LOOKS = {
    method.key: look
    for method, look in zip(METHODS, (*zip(COLOURS, DASHES, SYMBOLS, strict=True), SEVENTH), strict=True)
} | {ZERO_SHOT: ("#808a94", "dash", "cross")}
LEGEND = {"x": 0, "xanchor": "left", "y": -0.25, "yanchor": "top"}


def shots_figure(results: Sequence[Adaptation]) -> Any:
    """Draw each method's accuracy on test images by shots; zero-shot stands at 0."""
    import plotly.graph_objects as go

    figure, titles = go.Figure(), {method.key: method.title for method in METHODS}
    shots = sorted({row.shots for result in results for row in result.rows})
    for result in results:
        for key in dict.fromkeys(row.method for row in result.rows):
            group = [row for row in result.rows if row.method == key]
            colour, dash, symbol = LOOKS[key]
            shares = [row.accuracy() for row in group]
            name = titles.get(key, "Zero-shot")
            figure.add_scatter(
                x=[shots.index(row.shots) for row in group],
                y=[share.value for share in shares],
                error_y=_errors(shares),
                name=plain(f"{result.model}: {name}" if len(results) > 1 else name),
                mode="lines+markers",
                line={"color": colour, "dash": dash},
                marker={"symbol": symbol, "size": 9},
                hovertemplate="%{y:.1%}<extra>%{fullData.name}</extra>",
            )
    ticks = {"tickmode": "array", "tickvals": list(range(len(shots))), "ticktext": [str(one) for one in shots]}
    figure.update_layout(layout(height=430))
    figure.update_layout(
        xaxis={"title": "labelled images a class", "zeroline": False, **ticks}, yaxis=_shares("accuracy"), legend=LEGEND
    )
    return figure


def mixes_figure(results: Sequence[Adaptation]) -> Any:
    """Draw accuracy on test images and elsewhere by WiSE-FT's mix."""
    import plotly.graph_objects as go

    figure, number = go.Figure(), 0
    for result in results:
        names = [TEST, *next(iter(result.mixes.values())).base] if result.mixes else []
        for name in names:
            shares = [row.accuracy(name) for row in result.mixes.values()]
            figure.add_scatter(
                x=list(result.mixes),
                y=[share.value for share in shares],
                error_y=_errors(shares),
                name=plain(f"{result.model}: {name}" if len(results) > 1 else name),
                mode="lines+markers",
                line={"color": COLOURS[number % len(COLOURS)], "dash": DASHES[number % len(DASHES)]},
                marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 8},
                hovertemplate="%{y:.1%}<extra>%{fullData.name}</extra>",
            )
            number += 1
    figure.update_layout(layout(height=360))
    figure.update_layout(
        xaxis={"title": "mix: 0 zero-shot, 1 probe", "zeroline": False},
        yaxis=_shares("accuracy"),
        legend=LEGEND,
    )
    return figure


def plane_figure(plane: Plane) -> Any:
    """Draw accuracy elsewhere over accuracy on the test images, on logit axes, with the line of image probes."""
    import numpy as np
    import plotly.graph_objects as go

    figure, titles = go.Figure(), {method.key: method.title for method in METHODS}
    ticks = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99]
    axis = {
        "tickmode": "array",
        "tickvals": [_logit(one) for one in ticks],
        "ticktext": [f"{100 * one:.0f} %" for one in ticks],
    }
    ends = [_logit(one.base.value) for one in plane.points]
    if plane.line is not None:
        x = np.linspace(min(ends) - 0.2, max(ends) + 0.2, 2)
        line = {"color": "#808a94", "dash": "dot"}
        y = plane.line[0] + plane.line[1] * x
        figure.add_scatter(x=x, y=y, mode="lines", name="line of probes of images alone", line=line, hoverinfo="skip")
    models = list(dict.fromkeys(point.model for point in plane.points))
    for model in models:
        for key in dict.fromkeys(point.method for point in plane.points if point.model == model):
            group = [point for point in plane.points if (point.model, point.method) == (model, key)]
            colour, dash, symbol = LOOKS[key]
            name = titles.get(key, "Zero-shot")
            figure.add_scatter(
                x=[_logit(point.base.value) for point in group],
                y=[_logit(point.shifted.value) for point in group],
                name=plain(f"{model}: {name}" if len(models) > 1 else name),
                mode="lines+markers",
                line={"color": colour, "dash": dash, "width": 1},
                marker={"symbol": symbol, "size": 9},
                text=[
                    "{} shots: {:.1f} % → {:.1f} %".format(
                        point.shots, *(100 * (share.value or 0) for share in (point.base, point.shifted))
                    )
                    for point in group
                ],
                hovertemplate="%{text}<extra>%{fullData.name}</extra>",
            )
    figure.update_layout(layout(height=460))
    figure.update_layout(
        xaxis={"title": "test images of the same classes", "zeroline": False, **axis},
        yaxis={"title": "images from elsewhere", "zeroline": False, **axis},
        legend=LEGEND,
    )
    return figure


def _errors(shares: Sequence[Interval]) -> dict[str, Any]:
    values = [share.value or 0.0 for share in shares]
    highs = [value if share.high is None else share.high for share, value in zip(shares, values, strict=True)]
    lows = [value if share.low is None else share.low for share, value in zip(shares, values, strict=True)]
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - value for high, value in zip(highs, values, strict=True)],
        "arrayminus": [value - low for low, value in zip(lows, values, strict=True)],
        "thickness": 1.2,
    }


def _shares(title: str) -> dict[str, Any]:
    return {"title": title, "tickformat": ".0%", "zeroline": False}


def _logit(share: float | None) -> float:
    import math

    inside = min(max(share or 0.0, 0.002), 0.998)
    return math.log(inside / (1 - inside))
