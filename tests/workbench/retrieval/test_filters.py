"""Filters: what LanceDB selects for a compiled filter is what pandas selects, and no text reaches LanceDB unread."""

from __future__ import annotations

import operator
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.errors import BadInput
from workbench.retrieval import index
from workbench.retrieval.filters import COLUMNS, compile_filter
from workbench.retrieval.index import ModelTable
from workbench.retrieval.rows import IndexRow, as_table

TEXTS = ("", "cat", "Cat", "a'b", 'a"b', "a%b", "a_b", "a\\b", "a\\%b", "ab\nb", "é", "cat, dog")
TAGS = ("colour=red", "kind='x'", "size=2")
SIZES = (0, 1, 200, 800, 2**31 - 1)
SECONDS = (None, 0.0, 0.5, 12.25)
OPERATORS = {
    **{"=": operator.eq, "!=": operator.ne, "<>": operator.ne},
    **{"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
}
Condition = tuple[str, Callable[[pd.DataFrame], Any]]  # a filter, and which rows it selects: true, false or missing


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelTable, pd.DataFrame]:
    """A table of 120 rows of odd values, and the same rows in pandas."""
    generator = np.random.default_rng(0)

    def some(values: tuple[Any, ...]) -> Any:
        return values[generator.integers(len(values))]

    lines = []
    for number in range(120):
        tags = tuple(tag for tag in TAGS if generator.random() < 0.4)
        path, (size, width, height) = f"/{number}{some(TEXTS)}", (some(SIZES) for _ in range(3))
        label, caption, second = some(TEXTS), some(TEXTS), some(SECONDS)
        lines.append(IndexRow(path, f"{number:064x}", size, 0, width, height, label, caption, tags, second, b""))
    opened = index.make_table(str(tmp_path_factory.mktemp("filters") / "made"), model="m", fingerprint="0" * 40, dim=2)
    opened.table.add(as_table(lines, np.ones((len(lines), 2), np.float32), opened.table.schema))
    frame = pd.DataFrame([{name: getattr(line, name) for name in COLUMNS} for line in lines])
    for name, kind in COLUMNS.items():
        if kind != "list of texts":
            frame[name] = frame[name].astype("Float64" if kind == "number" else "string")
    return opened, frame


def literal(text: str, mark: str) -> str:
    return mark + text.replace(mark, mark * 2) + mark


def regex(pattern: str) -> str:
    return "".join({"%": "(?s:.*)", "_": "(?s:.)"}.get(one, re.escape(one)) for one in pattern)


def three_valued(condition: Condition) -> Condition:
    """Let pandas' `&`, `|` and `~` tell false from missing."""
    return condition[0], lambda frame: condition[1](frame).astype("boolean")


words = st.builds(lambda text, mark: (text, literal(text, mark)), st.sampled_from(TEXTS), st.sampled_from("'\""))
numbers = st.sampled_from([-1, 0, 0.25, 1, 200, 800.5, 12.25, 2**31, 10**14]).map(lambda one: (one, str(one)))


@st.composite
def comparisons(draw: st.DrawFn) -> Condition:
    name = draw(st.sampled_from(list(COLUMNS)))
    if name == "tags":
        chosen = draw(st.lists(st.sampled_from(TAGS), min_size=1, max_size=3))
        sign = draw(st.sampled_from(["=", "!=", "in"]))
        chosen = chosen if sign == "in" else chosen[:1]
        values = ", ".join(literal(one, '"') for one in chosen)
        shown = f"{name} in ({values})" if sign == "in" else f"{name} {sign} {values}"
        return (
            shown,
            lambda frame: (
                frame[name].map(lambda tags: bool(set(tags) & set(chosen)) != (sign == "!=")).astype("boolean")
            ),
        )
    value = numbers if COLUMNS[name] == "number" else words
    negation = draw(st.sampled_from(["", "not "]))
    kinds = ["compare", "in", "between", "is null", "column", *(["like"] if COLUMNS[name] == "text" else [])]
    kind, (low, shown_low), (high, shown_high) = draw(st.sampled_from(kinds)), draw(value), draw(value)
    sign, pattern = draw(st.sampled_from(list(OPERATORS))), draw(st.sampled_from(["{}", "%{}", "{}%", "%{}_%"]))
    pattern = pattern.format(low)
    if kind == "compare":
        return f"{name}{sign}{shown_low}", lambda frame: OPERATORS[sign](frame[name], low)
    if kind == "column":
        other = draw(st.sampled_from([one for one in COLUMNS if COLUMNS[one] == COLUMNS[name]]))
        return f"{name} {sign} {other}", lambda frame: OPERATORS[sign](frame[name], frame[other])
    if kind == "is null":
        return f"{name} IS {negation}NULL", lambda frame: frame[name].notna() if negation else frame[name].isna()
    forms: dict[str, Condition] = {
        "in": (f"{name} {negation}in ({shown_low} , {shown_high})", lambda f: (f[name] == low) | (f[name] == high)),
        "between": (
            f"{name} {negation}Between {shown_low} AND {shown_high}",
            lambda f: (f[name] >= low) & (f[name] <= high),
        ),
        "like": (
            f"{name} {negation}like {literal(pattern, chr(39))}",
            lambda f: f[name].map(lambda one: bool(re.fullmatch(regex(pattern), one))).astype("boolean"),
        ),
    }
    shown, select = forms[kind]
    return shown, (lambda frame: ~select(frame)) if negation else select


leaves = comparisons().map(three_valued)


def joined(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    return st.one_of(
        st.builds(lambda a, b: (f"({a[0]}) and {b[0]}", lambda f: a[1](f) & b[1](f)), parts, leaves),
        st.builds(lambda a, b: (f"({a[0]} OR {b[0]})", lambda f: a[1](f) | b[1](f)), leaves, parts),
        st.builds(lambda a: (f"not ({a[0]})", lambda f: ~a[1](f)), parts),
        st.builds(  # `and` binds closer than `or`, and `not` closer than both
            lambda a, b, c: (f"{a[0]} or not {b[0]} and {c[0]}", lambda f: a[1](f) | (~b[1](f) & c[1](f))),
            *(leaves for _ in range(3)),
        ),
    )


def selected(opened: ModelTable, filter_: str) -> list[str]:
    return sorted(
        path
        for batch in opened.table.scan(["path"], where=compile_filter(filter_))
        for path in batch["path"].to_pylist()
    )


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.recursive(leaves, joined, max_leaves=6))
def test_lance_selects_the_rows_that_pandas_selects(
    rows: tuple[ModelTable, pd.DataFrame], condition: Condition
) -> None:
    opened, frame = rows
    filter_, select = condition
    mask = select(frame).astype("boolean").fillna(False).astype(bool)
    assert selected(opened, filter_) == sorted(frame["path"][mask]), filter_


def test_a_backslash_in_a_pattern_is_a_character(rows: tuple[ModelTable, pd.DataFrame]) -> None:
    opened, frame = rows
    expected = frame["path"][frame["label"].isin([r"a\b", r"a\%b"])]
    assert selected(opened, r"label like 'a\%b'") == sorted(expected)
    assert len(expected) > 0


pieces = st.sampled_from(
    [*COLUMNS, *OPERATORS, "and", "or", "not", "in", "like", "between", "is", "null", "(", ")", ",", "'a'", "5", "''"]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(pieces, max_size=20).map(" ".join) | st.text(max_size=60))
def test_any_text_is_selected_by_or_refused_with_its_position(rows: tuple[ModelTable, pd.DataFrame], text: str) -> None:
    refused = ""
    try:
        selected(rows[0], text)
    except BadInput as error:
        refused = str(error)
    at = re.search(r"at character (\d+): ", refused)
    assert not refused or (at and 1 <= int(at[1]) <= len(text) + 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("width " + "+ width " * 1001, "at most 1,000 characters"),
        ("path " + "|| path " * 3001, "at most 1,000 characters"),
        ("width = 1 OR " * 100_001, "at most 1,000 characters"),
        ("length(repeat('a', 2000000000)) > 5", "at character 1: filters have no functions"),
        ("width > 1 and levenshtein(path, label) > 5", "at character 15: filters have no functions"),
        ("(" * 500, "at character 11: brackets"),
        ("not " * 200 + "width = 1", "at character 41: brackets"),
        ("width=1 or " * 50 + "width=1", "at character 551: a filter has at most 50"),
        ("width = 1 + 1", r"at character 11: .*got '\+ 1'"),
        ("label = 'cat", "at character 9: a text ends"),
        ("colour = 'red'", "at character 1: columns are path"),
        ("label between 1 and 2", "at character 15: expected a text"),
        ("width = " + "9" * 900, "at character 9: expected a number"),
        ("tags > 'a'", "at character 6: tags"),
        ("width > label", "at character 9: width is a number"),
        ("label = '\ud800'", "at character 10"),
    ],
)
def test_what_cannot_be_read_is_refused_at_once(text: str, says: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(BadInput, match=says):
        compile_filter(text)
    assert time.perf_counter() - begun < 0.1


def test_the_longest_filters_are_answered_soon(rows: tuple[ModelTable, pd.DataFrame]) -> None:
    begun = time.perf_counter()
    assert selected(rows[0], " or ".join(["width > -1"] * 50)) == sorted(rows[1]["path"])
    assert selected(rows[0], "(" * 10 + "width > -1" + ")" * 10)
    assert selected(rows[0], "label like '" + "%_" * 490 + "'") == []
    assert time.perf_counter() - begun < 2
