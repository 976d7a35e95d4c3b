"""Two kinds of Plotly figures, bars and heat maps, in colours that colour-blind readers tell apart; and drawings.

Does not know about the colour scheme: backgrounds are transparent, and `workbench.css` gives text and lines the page's
colours, so that a figure follows a switch between light and dark at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    from plotly.graph_objects import Figure

    from workbench.training.shapes import Drawing

BLUE = "#3b82c4"  # 3:1 and more against both backgrounds
ORANGE = "#d9822b"  # the second series: told from the blue by lightness too
SEQUENTIAL = "Cividis"  # made for colour-blind readers: Nuñez et al. 2018, doi:10.1371/journal.pone.0199239
BLACK, WHITE = "#000000", "#ffffff"  # of the numbers in cells
NO_COLOUR = ((0, "rgba(0,0,0,0)"), (1, "rgba(0,0,0,0)"))  # of the layers that hold them, over the cells
DRAWING_SIDE = 96  # pixels
MOST_ROWS, ROW_OF_NUMBERS = 20, 50  # of a heat map with numbers: rows, and characters in one of them
SHOWN = 28  # characters of a name on an axis
UNUSED_BUTTONS = ("zoom", "pan", "select", "lasso", "zoomin", "zoomout", "autoscale")  # cover legends
READ_OUT = 8  # bars that an alt text names


@dataclass(frozen=True)
class Scale:
    """Colours of a heat map: a scale of Plotly's, and the values of the first and the last; None: the data's own."""

    colours: str = SEQUENTIAL
    span: tuple[float, float] | None = None


VALUES = Scale()


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
    scale: Scale = VALUES,
) -> Figure:
    """Draw (len(rows), len(columns)) values as coloured cells, with the numbers inside while there is room.

    Args:
        values: of the cells, with two decimals unless they are whole; NaN leaves one empty.
        rows: their names.
        columns: likewise.
        title: of the colour bar.
        notes: one more line for each cell's hover text, plain text.
        scale: their colours.
    """
    import numpy as np
    import plotly.graph_objects as go

    low, high = scale.span or (None, None)
    form = ".0f" if values.dtype.kind in "iu" else ".2f"
    figure = go.Figure(
        go.Heatmap(
            z=values,
            zmin=low,
            zmax=high,
            colorscale=scale.colours,
            colorbar={"title": title, "thickness": 12},
            customdata=[
                [[plain(row), plain(column), plain(notes[i][j]) if notes else ""] for j, column in enumerate(columns)]
                for i, row in enumerate(rows)
            ],
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{z:.4f}<br>%{customdata[2]}<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    alt = f"Heat map of {title}, {len(rows)} rows by {len(columns)} columns."
    cells = [(float(value), place) for place, value in np.ndenumerate(values) if value == value]
    if cells:
        (least, _), (most, (row, column)) = min(cells), max(cells)
        alt += f" Highest: {rows[row]}, {columns[column]}: {most:.4g}; lowest value {least:.4g}."
        widest = max(len(f"{value:{form}}") for value, _ in cells)
        if len(rows) <= MOST_ROWS and len(columns) * widest <= ROW_OF_NUMBERS:
            for colour, written in _inked(values, scale.colours, span=scale.span or (least, most)):
                template = {"texttemplate": f"%{{z:{form}}}", "textfont_color": colour}
                figure.add_heatmap(z=written, **template, colorscale=NO_COLOUR, showscale=False, hoverinfo="skip")
    figure.update_layout(**layout(height=170 + 26 * min(len(rows), 40), alt=alt))
    figure.update_yaxes(_ticks(rows), autorange="reversed", showgrid=False, zeroline=False)
    figure.update_xaxes(_ticks(columns), showgrid=False, zeroline=False, tickangle=-40)
    return figure


def _inked(values: np.ndarray, colours: str, *, span: tuple[float, float]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield black and white, each with the values whose cells it stands out more from, and NaN in the others."""
    import numpy as np
    from plotly.colors import sample_colorscale, unlabel_rgb

    low, high = span
    places = np.nan_to_num((values - low) / (high - low) if high > low else np.full(values.shape, 0.5)).clip(0, 1)
    inks = np.array([ink(unlabel_rgb(colour)) for colour in sample_colorscale(colours, places.ravel().tolist())])
    for one in (BLACK, WHITE):
        yield one, np.where(inks.reshape(values.shape) == one, values, np.nan)


def ink(colour: Sequence[float]) -> str:
    """Return black or white, whichever has more contrast (at least 4.5:1) on (red, green, blue) of 0..255.

    Source:
        WCAG 2.2, relative luminance.
    """
    parts = (part / 255 for part in colour)
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    luminance = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return BLACK if (luminance + 0.05) ** 2 > 1.05 * 0.05 else WHITE


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
