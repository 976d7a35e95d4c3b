"""Charts: text stays text, colours are the page's, hostile names are harmless."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Tree

import pandas as pd
import pytest

from audits.analysis import Figure
from audits.reporting import _charts
from audits.reporting._order import ordered_figure, ordered_rows
from tests.audits.reporting.conftest import HOSTILE
from tests.audits.reporting.made_run import GROUPS, made_figures

PLAIN = {figure.key: figure for figure in made_figures({group: group for group in GROUPS})}


@pytest.mark.parametrize("key", PLAIN)
def test_each_kind_is_drawn_as_xml_with_names_as_text(key: str) -> None:
    drawn = _charts.svg(PLAIN[key])
    texts = " ".join("".join(part.itertext()) for part in Tree.fromstring(drawn).iter() if part.tag.endswith("text"))
    assert PLAIN[key].x in texts
    assert "var(--ink)" in drawn
    assert not re.search(r"#0[1-9]00fe", drawn)  # no colour of the drawing is left


def test_print_has_fixed_colours() -> None:
    drawn = _charts.svg(PLAIN["by-group"], fixed=True)
    assert "var(" not in drawn
    assert "#0067a5" in drawn


def test_the_dot_stands_where_the_value_is() -> None:
    """90 and 45 % of an axis: the distance of dots against that of axis labels, by hand."""
    data = pd.DataFrame({"name": ["a", "b", "c"], "value": [0.0, 0.45, 1.0]})
    drawn = _charts.svg(Figure("k", "t", "intervals", data, "share", "", "alt"))
    dots = [float(x) for x in re.findall(r'<use xlink:href="#k-[^"]*" x="([\d.]+)"', drawn)]
    dots = [x for x in re.findall(r'x="([\d.]+)" y="[\d.]+" style="fill: var\(--s1\)', drawn)] or dots
    a, b, c = (float(x) for x in dots[-3:])
    assert (b - a) / (c - a) == pytest.approx(0.45, abs=1e-3)


def test_ids_are_unique_over_the_figures_of_a_page() -> None:
    ids = [result for figure in PLAIN.values() for result in re.findall(r'\sid="([^"]*)"', _charts.svg(figure))]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("key", PLAIN)
def test_hostile_names_are_drawn_as_text(key: str) -> None:
    figure = {one.key: one for one in made_figures(HOSTILE)}[key]
    drawn = _charts.svg(figure)
    Tree.fromstring(drawn)
    assert "<script" not in drawn
    assert "\u202e" not in drawn
    assert len(drawn) < 200_000


def test_a_name_is_no_formula() -> None:
    data = pd.DataFrame({"name": ["$x_1$", "$\\frac{$"], "value": [0.2, 0.4]})
    drawn = _charts.svg(Figure("k", "t", "bars", data, "$y$", "", "alt"))
    for output in ("$x_1$", "$\\frac{$", "$y$"):
        assert f">{output}<" in drawn


def test_what_is_not_drawn_is_counted() -> None:
    data = pd.DataFrame({"name": [f"g{at}" for at in range(100)], "value": [0.5] * 100})
    figure = Figure("many", "t", "bars", data, "x", "", "alt")
    assert len(_charts.drawn_rows(figure)) == _charts.MAX_ROWS
    assert ">g39<" in _charts.svg(figure).replace("\n", "")
    assert ">g40<" not in _charts.svg(figure).replace("\n", "")


AGES = ["0-2", "10-19", "20-29", "3-9", "more than 70"]


def test_ages_stand_in_the_order_of_their_numbers() -> None:
    data = pd.DataFrame({"name": AGES, "value": [0.1, 0.2, 0.3, 0.4, 0.5]})
    ordered = ordered_figure(Figure("k", "t", "intervals", data, "share", "", "alt")).data
    assert ordered["name"].tolist() == ["0-2", "3-9", "10-19", "20-29", "more than 70"]
    assert ordered["value"].tolist() == [0.1, 0.4, 0.2, 0.3, 0.5]
    names = data.assign(name=["B", "A", "10", "9", "all"])
    assert ordered_figure(Figure("k", "t", "bars", names, "", "", "")).data["name"].tolist() == names["name"].tolist()


def test_rows_of_a_measure_stand_in_the_order_of_their_numbers() -> None:
    slices = [{}, *({"age": age} for age in AGES), *({"age": age, "race": race} for age in AGES[:4] for race in "BA")]
    rows = [{"slice": one} for one in slices]
    ages = ["0-2", "3-9", "10-19", "20-29", "more than 70"]
    expected = [{}, *({"age": age} for age in ages), *({"age": age, "race": race} for age in ages[:4] for race in "BA")]
    assert [row["slice"] for row in ordered_rows(rows)] == expected
    plain = [{"slice": {"race": race}} for race in ("White", "Black", "Asian")]
    assert ordered_rows(plain) == plain


def test_long_legends_leave_the_axes_their_width() -> None:
    """The horizontal axis with six names of 34 letters in the legend, against one without a legend."""
    x = [1, 2, 3, 4]

    def width(*series: str) -> float:
        parts = [pd.DataFrame({"x": x, "value": [at, 1, 2, 3], "series": name}) for at, name in enumerate(series)]
        drawn = _charts.svg(Figure("k", "t", "curve", pd.concat(parts), "x", "y", "alt"))
        ticks = [
            float(at) for at in re.findall(r'id="k-xtick_\d+">.*?<use xlink:href="[^"]*" x="([\d.]+)"', drawn, re.S)
        ]
        return float(ticks[-1]) - float(ticks[0])

    assert width(*(f"{at} a name of thirty-four characters" for at in range(6))) > 0.97 * width("a")


def test_equal_curves_do_not_hide_each_other() -> None:
    """Three series with the same points: the first is drawn the widest, so that its edges show."""
    parts = [pd.DataFrame({"x": [1, 2], "value": [0.1, 0.9], "series": name}) for name in "abc"]
    drawn = _charts.svg(Figure("k", "t", "curve", pd.concat(parts), "x", "y", "alt"))
    lines = re.findall(r"stroke: var\(--s([123])\); stroke-width: ([\d.]+); stroke-linecap", drawn)
    widths = {series: float(width) for series, width in reversed(lines)}
    assert widths["1"] > widths["2"] + 1 > widths["3"] + 2


def test_ages_of_a_matrix_and_of_series_stand_in_the_order_of_their_numbers() -> None:
    data = pd.DataFrame([(race, age, 0.5) for race in ("B", "A") for age in AGES], columns=["row", "column", "value"])
    ordered = ordered_figure(Figure("k", "t", "matrix", data, "age", "race", "alt")).data
    assert ordered["column"].tolist()[:5] == ["0-2", "3-9", "10-19", "20-29", "more than 70"]
    curves = pd.DataFrame([(x, age, 0.5) for age in AGES for x in (1, 2)], columns=["x", "series", "value"])
    ordered = ordered_figure(Figure("k", "t", "curve", curves, "x", "y", "alt")).data
    assert ordered["series"].tolist()[2:6] == ["3-9", "3-9", "10-19", "10-19"]
    assert ordered["x"].tolist()[:4] == [1, 2, 1, 2]
