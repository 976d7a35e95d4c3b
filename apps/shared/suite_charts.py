"""The CLIP paper's figures over several data sets, drawn from a user's own runs, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.shared.charts import BLUE, ORANGE, layout, plain
from workbench.probes.suite.plots import LOSES, WINS, Duel, PlotPoint

GREY = "#808a94"


def duels_figure(duels: Sequence[Duel]) -> Any:
    """Draw zero-shot minus the rival's probe, set by set, with paired intervals."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for verdict, colour, pattern in ((WINS, BLUE, ""), (LOSES, ORANGE, "/"), ("cannot be told", GREY, ".")):
        group = [(place, duel) for place, duel in enumerate(duels) if duel.verdict == verdict]
        values = [100 * (duel.difference.value or 0) for _, duel in group]
        ends = [(duel.difference.low, duel.difference.high) for _, duel in group]
        figure.add_bar(
            y=[place for place, _ in group],
            x=values,
            orientation="h",
            name=verdict,
            marker={"color": colour, "pattern": {"shape": pattern}},
            error_x=_errors(values, [[None if end is None else 100 * end for end in pair] for pair in ends]),
            customdata=[plain(duel.title) for _, duel in group],
            hovertemplate="%{customdata}: %{x:+.1f} points<extra></extra>",
        )
    ticks = {
        "tickmode": "array",
        "tickvals": list(range(len(duels))),
        "ticktext": [plain(duel.title) for duel in duels],
    }
    figure.update_layout(layout(height=150 + 34 * len(duels)), bargap=0.3)
    figure.update_yaxes(autorange="reversed", **ticks)
    figure.update_xaxes(title="zero-shot minus probe, points")
    return figure


def points_figure(points: Sequence[PlotPoint], *, x: str, y: str, diagonal: bool = False, logs: bool = False) -> Any:
    """Draw points with intervals in both directions and their names.

    Args:
        points: what is drawn.
        x: title of the axis.
        y: title of the axis.
        diagonal: draw the line of equal values.
        logs: both axes are logarithmic, and x is no share.
    """
    import plotly.graph_objects as go

    xs, ys = [point.x.value or 0 for point in points], [point.y.value or 0 for point in points]
    figure = go.Figure()
    if diagonal and points:
        ends = [min(*xs, *ys), max(*xs, *ys)]
        figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": GREY, "dash": "dot"}, hoverinfo="skip")
    figure.add_scatter(
        x=xs,
        y=ys,
        error_x=_errors(xs, [(point.x.low, point.x.high) for point in points]),
        error_y=_errors(ys, [(point.y.low, point.y.high) for point in points]),
        mode="markers+text",
        text=[plain(point.name) for point in points],
        textposition=["top right" if value <= (min(xs) + max(xs)) / 2 else "top left" for value in xs],
        marker={"color": BLUE, "size": 10},
        hovertemplate=f"%{{text}}: %{{x:{'.3g' if logs else '.1%'}}}, %{{y:.1%}}<extra></extra>",
    )
    kind = {"type": "log"} if logs else {}
    share = {"tickformat": ".0%"}
    figure.update_layout(layout(height=430), showlegend=False)
    figure.update_xaxes(title=x, zeroline=False, **kind, **({} if logs else share))
    figure.update_yaxes(title=y, zeroline=False, **kind, **share)
    return figure


def _errors(values: Sequence[float], ends: Sequence[Sequence[float | None]]) -> dict[str, Any]:
    bounds = [
        (value if low is None else low, value if high is None else high)
        for value, (low, high) in zip(values, ends, strict=True)
    ]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, high - value) for value, (_, high) in zip(values, bounds, strict=True)],
        "arrayminus": [max(0.0, value - low) for value, (low, _) in zip(values, bounds, strict=True)],
        "thickness": 1.2,
    }
