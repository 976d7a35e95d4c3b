"""The metrics table as a reader wants it: a block a metric, overall first, then groups, then their intersections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audits.reporting._numbers import DIFFERENCE, count, p_value, scale, writer, written
from audits.reporting._order import ordered_rows
from audits.reporting._text import slice_text, visible
from audits.run_directory.rows import known, rows
from workbench.statistics.row import GAPS

if TYPE_CHECKING:
    from pandas import DataFrame

KEYS = ("metric", "contrast", "control", "label_set", "template_set")
CONTRASTS: dict[str, str] = {
    GAPS[0]: "gap between the groups",
    GAPS[1]: "gap between groups of at least 30",
    "to_overall": "difference to the whole",
    "to_reference": "difference to the reference",
    "paired": "paired difference, image by image",
}
CORRECTIONS = {"holm": "Holm", "bh": "Benjamini-Hochberg"}
OPEN_ROWS = 16  # of a block that is shown open; more are behind a click
MOST_ROWS = 400  # of one block in a page


@dataclass(frozen=True)
class Line:
    """One row, written."""

    name: str
    n: str
    value: str
    interval: str
    detectable: str  # smallest difference from the other groups that these n can show
    chance: str
    p: str
    published: str
    source: str
    flags: str
    low: float | None  # of the interval, as a part of the block's range, 0..1
    high: float | None
    dot: float | None
    null: float | None  # 95th percentile of chance, likewise
    raw: float | None  # the value as the table has it
    raw_low: float | None


@dataclass(frozen=True)
class Block:
    """The rows of one metric."""

    title: str
    under: str  # which label set, contrast and so on
    lines: Sequence[Line]
    rest: str  # how many rows only the files have
    method: str  # of the intervals
    family: str  # how many tests were adjusted, and how
    scale: str  # ends of the drawn range
    zero: float | None  # where 0 lies in the drawn range
    open: int = OPEN_ROWS

    def has(self, name: str) -> bool:
        """Whether any line says something in that column."""
        return any(getattr(line, name) not in ("", None) for line in self.lines)


def blocks(metrics: DataFrame, most: int = MOST_ROWS, first: Sequence[str] = ()) -> list[Block]:
    """Return the blocks of a metrics table.

    At most `most` rows of each; the metrics in `first` come before the others, which keep the table's order.
    """
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows(metrics):
        groups.setdefault(tuple(str(row.get(key) or "") for key in KEYS), []).append(row)
    place = {metric: at for at, metric in enumerate(first)}
    ordered = sorted(groups, key=lambda key: place.get(key[0], len(place)))
    return [_block(key, groups[key], most) for key in ordered]


def title(metric: str) -> str:
    """Write a metric's name for people: "accuracy.top1" becomes "Accuracy, top1"."""
    words = visible(metric).replace("_", " ").replace(".", ", ")
    return words[:1].upper() + words[1:]


def _block(key: tuple[str, ...], group: Sequence[Mapping[str, Any]], most: int) -> Block:
    metric, contrast, control, labels, templates = key
    ordered = ordered_rows(group)
    shown = ordered[:most]
    under = [
        CONTRASTS.get(contrast, "" if contrast in ("", "none") else contrast),
        f"within {visible(control)}" if control else "",
        f"label set {visible(labels)}" if labels else "",
        f"templates {visible(templates)}" if templates else "",
    ]
    low, high = _range(shown)
    factor, unit = scale(shown[0].get("unit"))
    first, last = (writer(None, "")(factor * end) if end else "0" for end in (low, high))
    methods = dict.fromkeys(str(row["ci_method"]) for row in shown if row.get("ci_method"))
    levels = dict.fromkeys(f"{100 * level:g} %" for row in shown if (level := known(row.get("level"))) is not None)
    return Block(
        title=title(metric),
        under=", ".join(part for part in under if part),
        lines=[_line(row, low, high) for row in shown],
        rest=f"{len(ordered) - len(shown)} further rows are in the files" if len(ordered) > len(shown) else "",
        method=f"{' and '.join(levels)} intervals: {', '.join(methods)}" if methods else "",
        family=_family(shown),
        scale=f"{first} to {last} {unit}".rstrip(),
        zero=(0.0 - low) / (high - low) if low <= 0 <= high else None,
    )


def _line(row: Mapping[str, Any], low: float, high: float) -> Line:
    number = written(row)

    def part(name: str) -> float | None:
        number = known(row.get(name))
        return None if number is None else (number - low) / (high - low)

    published, detectable = known(row.get("published_value")), known(row.get("detectable"))
    return Line(
        name=_name(row),
        n=count(row.get("n")),
        value=number.value,
        interval=number.interval,
        detectable="" if detectable is None else f"± {written({'value': detectable, 'unit': DIFFERENCE}).value}",
        chance=_chance(row),
        p=p_value(row.get("p_value") if row.get("p_adj") is None else row["p_adj"], row.get("flags")),
        published="" if published is None else written({"value": published, "unit": row.get("unit")}).value,
        source=visible(row.get("published_source") or ""),
        flags=flags(row.get("flags")),
        low=part("ci_low"),
        high=part("ci_high"),
        dot=part("value"),
        null=part("null_q95"),
        raw=known(row.get("value")),
        raw_low=known(row.get("ci_low")),
    )


def _name(row: Mapping[str, Any]) -> str:
    name = slice_text(row.get("slice"))
    by = str(row.get("slice_by") or "")
    reference = row.get("reference")
    if by and row.get("contrast") in GAPS:
        groups = visible(by.replace(",", " and ")).replace("_", " ")
        name = f"by {groups}" + ("" if name == "all" else f", {name}")
        return f"{name}, {visible(reference)}" if reference else name
    return f"{name}, against {visible(reference)}" if reference else name


def _chance(row: Mapping[str, Any]) -> str:
    """Write what chance alone gives: its mean, and the bound of 95 % of it."""
    mean, top = (written({"value": row.get(name), "unit": row.get("unit")}) for name in ("null_mean", "null_q95"))
    if known(row.get("null_q95")) is None:
        return ""
    middle, bound = known(row.get("null_mean")), known(row.get("null_q95"))
    if middle is None or bound is None:
        return f"below {top.value}"
    return f"{mean.value}, 95 % {'below' if bound >= middle else 'above'} {top.value}"


def flags(value: object) -> str:
    """Write the flags of a row: "small_n" becomes "small n"."""
    if value is None or isinstance(value, float):
        return ""
    names = value.replace(",", "|").split("|") if isinstance(value, str) else list(value)  # type: ignore[call-overload]
    return ", ".join(visible(name).strip().replace("_", " ") for name in names if str(name).strip())


def _range(group: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    names = ("value", "ci_low", "ci_high", "null_q95")
    numbers = [number for row in group for name in names if (number := known(row.get(name))) is not None]
    if not numbers:
        return 0.0, 1.0
    low, high = min(numbers), max(numbers)
    if group[0].get("unit") == "share" and low >= 0 and high <= 1:
        low, high = 0.0, next(end for end in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if high <= end)
    low, high = min(low, 0.0), max(high, 0.0)
    return (low, high) if high > low else (low, low + 1.0)


def _family(group: Sequence[Mapping[str, Any]]) -> str:
    """Write how many tests were adjusted together, and how."""
    tested = [row for row in group if known(row.get("p_value")) is not None]
    if not tested:
        return ""
    sizes: dict[str, int] = {}
    for row in tested:
        name = str(row.get("family") or "")
        sizes[name] = max(int(known(row.get("n_tests")) or 0), sizes.get(name, 0))
    names = dict.fromkeys(CORRECTIONS.get(str(row.get("correction") or "none"), "") for row in tested)
    how = " and ".join(name for name in names if name)
    if not how:
        return f"{len(tested)} test{'s' if len(tested) > 1 else ''}, p-values not adjusted"
    counts = " and ".join(f"{size} test{'s' if size != 1 else ''}" for size in dict.fromkeys(sizes.values()))
    return f"p-values adjusted by {how}; {counts} in {'a' if len(sizes) == 1 else 'each'} family"
