"""The same images in two runs, side by side; and whether the two runs may be compared at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from audits.comparing.outcomes import NotComparable
from audits.contracts import DRAWS, OUTCOME
from audits.run_directory.header import Header
from audits.run_directory.reader import Run

if TYPE_CHECKING:
    from pandas import DataFrame


KEY = ["sample_id", "variant", "label_set"]
MUST_AGREE: dict[str, Callable[[Header], object]] = {
    "audit": lambda head: head.spec.audit,
    "version of the audit": lambda head: head.spec.audit_version,
    "protocol (hash)": lambda head: head.hashes.protocol,
    "data (hash)": lambda head: head.hashes.dataset,
    "seed": lambda head: head.spec.seed,
}
ANSWERS = ("y_pred", DRAWS)  # columns of both runs that are joined and are no outcomes
SHOWN = 12  # digits of a hash in a message


def mismatches(base: Run, candidate: Run) -> list[str]:
    """Return what must agree between two runs and does not, in sentences."""
    lines = []
    for name, value in MUST_AGREE.items():
        first, second = (str(value(run.header)) for run in (base, candidate))
        if first != second:
            shown = SHOWN if "(hash)" in name else None
            lines.append(f"{name}: {first[:shown] or 'none'} and {second[:shown] or 'none'}")
    for run, name in ((base, "the base"), (candidate, "the candidate")):
        if run.header.partial:
            lines.append(f"{name} is a partial run (limit {run.header.spec.limit})")
        if run.status != "success":
            lines.append(f"{name} did not finish (status {run.status or 'unknown'})")
    return lines


def join(base: DataFrame, candidate: DataFrame, attributes: Sequence[str]) -> tuple[DataFrame, int, int]:
    """Put the samples of two runs side by side.

    `attributes` are columns that are taken from the base.

    Returns:
        The rows of both, in order of `KEY`, with `base:METRIC` and `candidate:METRIC` for each outcome that both have;
        and how many rows only the base and only the candidate have.

    Raises:
        NotComparable: no samples, rows that stand twice, or no outcome in common.
    """
    tables = [_keyed(table, name) for table, name in ((base, "base"), (candidate, "candidate"))]
    outcomes = [c for c in tables[0].columns if str(c).startswith(OUTCOME) and c in tables[1].columns]
    if not outcomes:
        raise NotComparable(f"The samples of both runs need a column {OUTCOME}METRIC in common, and have none.")
    described = [name for name in dict.fromkeys([*attributes, "cluster"]) if name in tables[0] and name not in KEY]
    named = [name for name in ANSWERS if all(name in table.columns for table in tables)]
    left = tables[0][[*KEY, *described, *outcomes, *named]]
    both = left.merge(tables[1][[*KEY, *outcomes, *named]], on=KEY, how="outer", suffixes=("|a", "|b"), indicator=True)
    alone = [int((both["_merge"] == side).sum()) for side in ("left_only", "right_only")]
    both = both[both["_merge"] == "both"].drop(columns="_merge")
    names: dict[str, str] = {}
    for column in (*outcomes, *named):
        short = str(column).removeprefix(OUTCOME)
        names |= {f"{column}|a": f"base:{short}", f"{column}|b": f"candidate:{short}"}
    return both.rename(columns=names).reset_index(drop=True), alone[0], alone[1]  # an outer merge sorts by its keys


def metrics(joined: DataFrame) -> list[str]:
    """Return the names of the outcomes that were joined."""
    named = [str(c).removeprefix("base:") for c in joined.columns if str(c).startswith("base:")]
    return [name for name in named if name not in ANSWERS]


def _keyed(table: DataFrame, name: str) -> DataFrame:
    if "sample_id" not in table.columns or not len(table):
        raise NotComparable(f"The {name} has no samples: image by image there is nothing to compare.")
    table = table.assign(**{key: "" for key in KEY if key not in table.columns})
    table = table.assign(**{key: table[key].fillna("").astype(str) for key in KEY})
    twice = table.duplicated(KEY)
    if twice.any():
        row = table.loc[twice, KEY].iloc[0]
        raise NotComparable(
            f"In the {name}, {', '.join(f'{key} {value!r}' for key, value in row.items())} stands twice."
        )
    return table
