"""Two kinds of Plotly figures, bars and heat maps, in colours that colour-blind readers tell apart; and drawings.

Does not know about the colour scheme: backgrounds are transparent, and `workbench.css` gives text and lines the page's
colours, so that a figure follows a switch between light and dark at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    from plotly.graph_objects import Figure

    from workbench.training.shapes import Drawing

BLUE = "#3b82c4"  # 3:1 and more against both backgrounds
ORANGE = "#d9822b"  # the second series: told from the blue by lightness too
SEQUENTIAL = "Cividis"  # made for colour-blind readers: Nuñez et al. 2018, doi:10.1371/journal.pone.0199239
DRAWING_SIDE = 96  # pixels
SHOWN = 28  # characters of a name on an axis
UNUSED_BUTTONS = ("zoom", "pan", "select", "lasso", "zoomin", "zoomout", "autoscale")  # cover legends
READ_OUT = 8  # bars that an alt text names


def bars(names: Sequence[str], series: Mapping[str, Sequence[float]], *, axis: str, top: float | None = None) -> Figure:
    """Draw horizontal bars, the first name on top; `series` maps a legend entry to one value a name."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for (title, values), colour in zip(series.items(), (BLUE, ORANGE), strict=False):
        figure.add_bar(
            y=list(range(len(names))),
            x=list(values),
            orientation="h",
            name=title,
            marker_color=colour,
            text=["&lt;0.001" if 0 < value < 0.0005 else f"{value:.3f}" for value in values],
            textposition="outside",
            cliponaxis=False,
            customdata=[plain(name) for name in names],
            hovertemplate="%{customdata}: %{x:.4f}<extra></extra>",
        )
    rows = len(names) * max(1, len(series))
    alt = "; ".join(f"{title}: {_listed(names, values)}" for title, values in series.items())
    figure.update_layout(
        **layout(height=110 + 26 * rows, alt=f"Bars of {axis}. {alt}."), showlegend=len(series) > 1, bargap=0.25
    )
    figure.update_yaxes(_ticks(names), autorange="reversed")
    every = [0.0, *(value for values in series.values() for value in values)]
    low, high = (0.0, top) if top else (min(every), max(every))
    room = (0.18 if top else 0.3) * (high - low)  # for the numbers beside the bars
    span = [low - room * (low < 0), high + room * (high > 0)] if room else None
    figure.update_xaxes(title=axis, range=span, zeroline=False)
    return figure


def drawings_in_two_rows(drawings: Sequence[Drawing]) -> tuple[Image.Image, str]:
    """Return an even number of drawings as one image, and its alt text."""
    drawn = [one.render(DRAWING_SIDE) for one in drawings]
    half = len(drawn) // 2
    image = Image.new("RGB", (half * DRAWING_SIDE, 2 * DRAWING_SIDE), "white")
    for number, one in enumerate(drawn):
        image.paste(one, (number % half * DRAWING_SIDE, number // half * DRAWING_SIDE))
    return image, "Drawings: " + ", ".join(one.caption for one in drawings)


def heat_map(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    title: str,
    notes: Sequence[Sequence[str]] | None = None,
) -> Figure:
    """Draw (len(rows), len(columns)) values as coloured cells, with the numbers inside while there is room.

    Args:
        values: of the cells.
        rows: their names.
        columns: likewise.
        title: of the colour bar.
        notes: one more line for each cell's hover text, plain text.
    """
    import plotly.graph_objects as go

    roomy = len(columns) <= 10 and len(rows) <= 20
    figure = go.Figure(
        go.Heatmap(
            z=values,
            colorscale=SEQUENTIAL,
            colorbar={"title": title, "thickness": 12},
            texttemplate="%{z:.2f}" if roomy else None,
            customdata=[
                [[plain(row), plain(column), plain(notes[i][j]) if notes else ""] for j, column in enumerate(columns)]
                for i, row in enumerate(rows)
            ],
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{z:.4f}<br>%{customdata[2]}<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    cells = [
        (float(value), row, column)
        for row, line in zip(rows, values, strict=True)
        for column, value in zip(columns, line, strict=True)
        if value == value
    ]
    alt = f"Heat map of {title}, {len(rows)} rows by {len(columns)} columns."
    if cells:
        (low, *_), (high, row, column) = min(cells), max(cells)
        alt += f" Highest: {row}, {column}: {high:.4g}; lowest value {low:.4g}."
    figure.update_layout(**layout(height=170 + 26 * min(len(rows), 40), alt=alt))
    figure.update_yaxes(_ticks(rows), autorange="reversed", showgrid=False, zeroline=False)
    figure.update_xaxes(_ticks(columns), showgrid=False, zeroline=False, tickangle=-40)
    return figure


def plain(name: str) -> str:
    """Return a name that Plotly shows as it is: its few HTML tags and entities are taken literally."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _listed(names: Sequence[str], values: Sequence[float]) -> str:
    """Name the first few values, for those who do not see the chart."""
    few = ", ".join(f"{name} {value:.3f}" for name, value in zip(names[:READ_OUT], values, strict=False))
    return few if len(names) <= READ_OUT else f"{few} and {len(names) - READ_OUT} more"


def _ticks(names: Sequence[str]) -> dict[str, Any]:
    short = [name if len(name) <= SHOWN else name[: SHOWN - 1] + "…" for name in names]
    return {"tickmode": "array", "tickvals": list(range(len(names))), "ticktext": [plain(name) for name in short]}


def layout(height: int, alt: str = "") -> dict[str, Any]:
    """Return what all figures have in common, for `update_layout`; `charts.js` gives the chart its alt text."""
    return {
        "meta": {"alt": alt},
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 36, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "xaxis": {"automargin": True},
        "yaxis": {"automargin": True},
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"},
        "modebar": {"remove": list(UNUSED_BUTTONS)},
    }
