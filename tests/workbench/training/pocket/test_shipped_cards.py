"""The cards of both shipped models agree with one another and with arithmetic: counts, shares, intervals, units."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scipy.stats import binomtest

import workbench

_WEIGHTS = Path(workbench.__file__).parent / "weights"
_CARDS = {key: (_WEIGHTS / key / "README.md").read_text(encoding="utf-8") for key in ("pocket", "pocket-lite2")}


def _table(card: str, first: str) -> list[list[str]]:
    """Return the cells of the only table whose header begins so."""
    (found,) = re.findall(rf"^\| {re.escape(first)}.*\n\|[-|]+\|\n((?:\|.*\n)+)", _CARDS[card], re.M)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found.splitlines()]


def _disagreements(card: str) -> list[list[str]]:
    return _table(card, "question | both |")


def _figures(card: str) -> dict[str, list[str]]:
    return {row[0]: row for row in _table(card, "question | this checkpoint (95 % interval, Wilson)")}


def _share(cell: str) -> float:
    return float(cell.split(" ")[0])


def test_both_cards_show_the_same_disagreements() -> None:
    assert _disagreements("pocket") == _disagreements("pocket-lite2")


@pytest.mark.parametrize("row", _disagreements("pocket-lite2"), ids=lambda row: row[0][:20])
def test_disagreements_are_counts_of_the_figures_above(row: list[str]) -> None:
    both, ours, theirs, neither, n = (int(row[k]) for k in (1, 2, 3, 4, 6))
    assert both + ours + theirs + neither == n
    difference, low, high = (float(number) for number in re.findall(r"[-+][\d.]+", row[5]))
    assert low < difference < high
    assert difference == pytest.approx(100 * (ours - theirs) / n, abs=0.051)
    figures = _figures("pocket-lite2")[row[0]]
    assert _share(figures[1]) == pytest.approx(100 * (both + ours) / n, abs=0.051)
    assert _share(figures[4]) == pytest.approx(100 * (both + theirs) / n, abs=0.051)


@pytest.mark.parametrize("card", _CARDS)
def test_intervals_are_wilsons(card: str) -> None:
    column = {"pocket": 2, "pocket-lite2": 3}[card]
    for question, row in _figures(card).items():
        share, low, high = (float(number) for number in re.findall(r"[\d.]+", row[1]))
        n = int(row[column])
        counts = [count for count in range(n + 1) if abs(100 * count / n - share) <= 0.051]
        intervals = [binomtest(count, n).proportion_ci(method="wilson") for count in counts]
        bounds = [pytest.approx((100 * wilson.low, 100 * wilson.high), abs=0.051) for wilson in intervals]
        assert (low, high) in bounds, question


@pytest.mark.parametrize("card", _CARDS)
def test_the_units_are_as_many_as_the_card_says(card: str) -> None:
    rows = _table(card, "channel | concept |")
    concepts = {row[1] for row in rows}
    assert f"{len(rows)} channels for {len(concepts)} concepts" in _CARDS[card]
    (figure,) = [row for question, row in _figures(card).items() if question.startswith("multimodal units")]
    assert _share(figure[1]) == pytest.approx(100 * len(rows) / 1280, abs=0.051)
    assert all(float(score) >= 0.9 for row in rows for score in row[2:])


def test_pockets_figures_are_the_same_in_both_cards() -> None:
    own, beside = _figures("pocket"), _figures("pocket-lite2")
    shared = own.keys() & beside.keys()
    assert len(shared) >= 15
    for question in shared:
        assert own[question][1].split(" %")[0] == beside[question][4].split(" %")[0], question
