"""Charts as SVG: the figure of a run, drawn with text as text and colours that follow the page."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from audits.analysis import Figure
from audits.reporting._text import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame


MAX_ROWS = 40  # names of one chart; the table beside it has all
MAX_POINTS = 400  # of a curve, at even distances
MAX_MARKED = 60  # points of a series that get a marker each
NAME = 34  # characters of a name at an axis
WIDTH = 6.2  # inches, 72 points each
LETTER = 0.075  # inches of a letter at the size of the labels, on average
# What matplotlib draws with -> the style sheet's variable, and what print has instead. Series: after Okabe and Ito
# 2008, darkened until each has a contrast of 3 to 1 with the paper.
INK, RULE, BAND = "#0100fe", "#0200fe", "#0300fe"
SERIES = ("#0400fe", "#0500fe", "#0600fe", "#0700fe", "#0800fe", "#0900fe")
COLOURS = {
    INK: ("--ink", "#1b1f24"),
    RULE: ("--rule", "#d5d9de"),
    BAND: ("--null", "#d9d4c7"),
    SERIES[0]: ("--s1", "#0067a5"),
    SERIES[1]: ("--s2", "#c24e00"),
    SERIES[2]: ("--s3", "#00795b"),
    SERIES[3]: ("--s4", "#9b3f7c"),
    SERIES[4]: ("--s5", "#6a6000"),
    SERIES[5]: ("--s6", "#5a5f66"),
}
MARKERS = "osD^vP"
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be searched, selected and read aloud
    "svg.hashsalt": "clip-workbench",  # the same figure gives the same file
    "text.parse_math": False,  # a group called "$x$" is no formula
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
}


def svg(figure: Figure, *, fixed: bool = False) -> str:
    """Draw a figure.

    Args:
        figure: at most `MAX_ROWS` names or `MAX_POINTS` points of it are drawn.
        fixed: with the colours of print, for programs that know no style sheet variables.

    Returns:
        One `<svg>` element, without width and height, hidden from screen readers: the caller gives the text.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    data = drawn_rows(figure)
    with mpl.rc_context(cast(Any, STYLE)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)  # only the layout needs it
        labels = [visible(one, NAME) for one in _series(data) if one is not None]
        height = _body_height(figure.kind, data) + 0.19 * -(-len(labels) // _legend_columns(labels or [""], data))
        canvas = Canvas(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasSVG(canvas)
        axes = canvas.add_subplot()
        DRAW[figure.kind](axes, data)
        axes.set_xlabel(visible(figure.x, 80))
        axes.set_ylabel(visible(figure.y, 60) if figure.kind not in ("intervals", "bars") else "")
        out = io.StringIO()
        canvas.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _clean(out.getvalue(), figure.key, fixed)


def drawn_rows(figure: Figure) -> DataFrame:
    """Return the rows of a figure's data that are drawn: the first names, or points at even distances."""
    data = figure.data
    if figure.kind == "matrix":
        return data.head(MAX_ROWS**2)
    if figure.kind in ("intervals", "bars"):
        return data[data["name"].isin(list(dict.fromkeys(data["name"]))[:MAX_ROWS])]
    return data.iloc[:: -(-len(data) // MAX_POINTS) or 1]


def _body_height(kind: str, data: DataFrame) -> float:
    if kind in ("intervals", "bars"):
        lines = data["name"].nunique() * max(1.0, 0.55 * len(_series(data)))
        return float(min(12.0, 0.95 + 0.27 * lines))
    if kind == "matrix":
        return float(min(8.0, 1.6 + 0.3 * data["row"].nunique()))
    return 4.4 if kind == "reliability" else 3.4


def _series(data: DataFrame) -> list[Any]:
    return list(dict.fromkeys(data["series"])) if "series" in data.columns else [None]


def _of(data: DataFrame, series: Any) -> DataFrame:
    return data if series is None else data[data["series"] == series]


def _has(data: DataFrame, *names: str) -> bool:
    return all(name in data.columns and data[name].notna().any() for name in names)


def _names(axes: Axes, names: list[Any]) -> None:
    axes.set_yticks(range(len(names)), [visible(name, NAME) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")


def _legend(axes: Axes, data: DataFrame) -> None:
    """Put the legend above the axes, in as many columns as leave the axes their width."""
    labels = axes.get_legend_handles_labels()[1]
    if labels:
        columns = _legend_columns(labels, data)
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1.01), ncols=columns, frameon=False, borderaxespad=0, handlelength=1.4
        )


def _legend_columns(labels: Sequence[str], data: DataFrame) -> int:
    names = "name" if "name" in data.columns else "row" if "row" in data.columns else ""
    widest = min(NAME, max((len(str(name)) for name in data[names]), default=0)) if names else 4
    room = WIDTH - 0.5 - LETTER * widest
    return max(1, min(3, int(room / (0.45 + LETTER * max(map(len, labels))))))


def _intervals(axes: Axes, data: DataFrame) -> None:
    names, every = list(dict.fromkeys(data["name"])), _series(data)
    if _has(data, "null"):
        chance = data.dropna(subset=["null"]).groupby("name", sort=False)["null"].max()
        places = [names.index(name) for name in chance.index]
        axes.barh(places, chance, height=0.72, color=BAND, label="within chance (95 %)", zorder=1)
    for at, series in enumerate(every):
        part = _of(data, series)
        shift = 0.0 if len(every) == 1 else 0.62 * (at / (len(every) - 1) - 0.5)
        place = [names.index(name) + shift for name in part["name"]]
        colour = SERIES[at % len(SERIES)]
        if _has(part, "low", "high"):
            axes.hlines(place, part["low"], part["high"], color=colour, linewidth=1.6, zorder=3)
        label = None if series is None else visible(series, NAME)
        axes.plot(part["value"], place, MARKERS[at % 6], color=colour, markersize=5, label=label, zorder=4)
    _names(axes, names)
    _legend(axes, data)


def _bars(axes: Axes, data: DataFrame) -> None:
    names, every = list(dict.fromkeys(data["name"])), _series(data)
    thick = 0.76 / len(every)
    for at, series in enumerate(every):
        part = _of(data, series)
        place = [names.index(name) + (at - (len(every) - 1) / 2) * thick for name in part["name"]]
        label = None if series is None else visible(series, NAME)
        axes.barh(place, part["value"], height=thick * 0.9, color=SERIES[at % len(SERIES)], alpha=0.55, label=label)
        if _has(part, "low", "high"):
            axes.hlines(place, part["low"], part["high"], color=INK, linewidth=1.2)
    _names(axes, names)
    _legend(axes, data)


def _curve(axes: Axes, data: DataFrame) -> None:
    every = _series(data)
    for at, series in enumerate(every):
        part, colour = _of(data, series).sort_values("x", kind="stable"), SERIES[at % len(SERIES)]
        width = 1.4 + 1.6 * (len(every) - 1 - at)  # a curve below an equal one stays visible as its edge
        label = None if series is None else visible(series, NAME)
        if _has(part, "low", "high"):
            axes.fill_between(part["x"], part["low"], part["high"], color=colour, alpha=0.18, linewidth=0)
        marker = MARKERS[at % 6] if len(part) <= MAX_MARKED else ""
        size = 4 + 2 * (len(every) - 1 - at)
        axes.plot(part["x"], part["value"], "-" + marker, color=colour, lw=width, markersize=size, label=label)
        if _has(part, "null"):
            chance = "95 % of chance" if at == 0 else None
            axes.plot(part["x"], part["null"], "--", color=colour, linewidth=1, alpha=0.8, label=chance)
    _legend(axes, data)


def _points(axes: Axes, data: DataFrame) -> None:
    for at, (name, x, value, *ends) in enumerate(data[["series", "x", "value", "low", "high"]].itertuples(index=False)):
        colour = SERIES[at % len(SERIES)]
        axes.vlines(x, *ends, color=colour, linewidth=1.2, alpha=0.6)
        axes.plot(x, value, MARKERS[at % 6], color=colour, markersize=6, label=f"{at + 1} {visible(name, NAME)}")
        axes.annotate(str(at + 1), (x, value), xytext=(5, 3), textcoords="offset points", fontsize=8, color=INK)
    _legend(axes, data)


def _reliability(axes: Axes, data: DataFrame) -> None:
    axes.plot([0, 1], [0, 1], "--", color=INK, linewidth=0.8, label="perfect calibration")
    if _has(data, "low", "high"):
        axes.vlines(data["confidence"], data["low"], data["high"], color=SERIES[0], linewidth=1.6)
    axes.plot(data["confidence"], data["accuracy"], "o", color=SERIES[0], markersize=5)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    _legend(axes, data)


def _matrix(axes: Axes, data: DataFrame) -> None:
    rows, columns = list(dict.fromkeys(data["row"])), list(dict.fromkeys(data["column"]))
    grid = data.pivot_table(index="row", columns="column", values="value", aggfunc="first", sort=False)
    grid = grid.reindex(index=rows, columns=columns)
    mesh = axes.pcolormesh(grid.to_numpy(dtype=float), cmap="cividis", edgecolors="none")
    if grid.size <= 160:
        for (row, column), value in np.ndenumerate(grid.to_numpy(dtype=float)):
            if np.isnan(value):
                continue
            red, green, blue = (float(part) for part in mesh.to_rgba(np.array([value]))[0][:3])
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            tone = "#ffffff" if dark else "#000000"
            axes.text(column + 0.5, row + 0.5, f"{value:.2g}", ha="center", va="center", color=tone, fontsize=8)
    turned = 0 if sum(min(len(str(name)), NAME) for name in columns) < 70 else 40
    axes.set_xticks([at + 0.5 for at in range(len(columns))], [visible(name, 20) for name in columns])
    axes.tick_params(axis="x", rotation=turned)
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("right" if turned else "center")
    axes.set_yticks([at + 0.5 for at in range(len(rows))], [visible(name, NAME) for name in rows])
    axes.invert_yaxis()
    axes.grid(visible=False)
    if axes.figure is not None:
        axes.figure.colorbar(mesh, ax=axes, fraction=0.04, pad=0.02)


def _clean(drawn: str, key: str, fixed: bool) -> str:
    """Keep the element alone, make its ids its own, and give its colours to the page."""
    drawn = re.sub(r"<!--.*?-->", "", drawn[drawn.index("<svg") :], flags=re.DOTALL)
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    own = re.sub(r"[^A-Za-z0-9-]", "-", key)
    drawn = re.sub(r'(\sid="|href="#|url\(#)', lambda match: match.group(1) + own + "-", drawn)
    head, rest = drawn.split(">", 1)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    head = head.replace("<svg", '<svg class="chart" aria-hidden="true" focusable="false"', 1)
    for sign, (variable, ink) in COLOURS.items():
        rest = rest.replace(sign, ink if fixed else f"var({variable})")
    return f"{head}>{rest.strip()}"


DRAW = {
    "intervals": _intervals,
    "bars": _bars,
    "curve": _curve,
    "points": _points,
    "reliability": _reliability,
    "matrix": _matrix,
}
