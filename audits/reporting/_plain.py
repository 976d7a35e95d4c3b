"""The first sentences of a report, for everybody: who is worse off, by how much, how sure, and who was not judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audits.grouping import SEPARATOR
from audits.reporting._evidence import rank
from audits.reporting._numbers import written
from audits.reporting._tables import title
from audits.reporting._text import slice_text, visible
from audits.run_directory.reader import Run
from audits.run_directory.rows import known, rows, slice_of
from workbench.statistics.row import GAPS

NOBODY = "No group was found to be worse off than another."


def plain(runs: Sequence[Run]) -> list[str]:
    """Return a sentence on the group that is worst off by the best supported gap, and one on groups not judged.

    Nothing where a run was analysed by a version that judged every group.
    """
    if not all("n_needed" in run.metrics for run in runs):
        return []
    ranked = rank(runs)
    gaps = [one for one in ranked if one.finding.strength == "found" and one.finding.by]
    sentences = (_worse_off(one.run, one.finding) for one in gaps)
    groups = dict.fromkeys(
        slice_text(one.finding.slice) for one in ranked if one.finding.strength == "not judged" and one.finding.slice
    )
    first = next(filter(None, sentences), visible(gaps[0].finding.text, 600) if gaps else NOBODY)
    return [first, *([f"Could not be judged within 10 points: {'; '.join(groups)}."] if groups else [])]


def _worse_off(run: Run, finding: Any) -> str:
    """Say a gap without terms; empty where the table does not name its two ends."""
    same = [
        row
        for row in rows(run.metrics)
        if (str(row["metric"]), str(row.get("label_set") or "")) == (finding.metric, finding.label_set)
    ]
    where = dict(finding.slice or {})
    gap = next((row for row in same if row.get("contrast") in GAPS and known(row["value"]) == finding.effect), None)
    rates = {
        SEPARATOR.join(slice_of(row["slice"])[name] for name in finding.by.split(",")): row
        for row in same
        if row.get("contrast") == "none"
        and slice_of(row["slice"]).keys() == {*finding.by.split(","), *where}
        and where.items() <= slice_of(row["slice"]).items()
    }
    ends = [name for name in rates if gap and str(gap["reference"]).startswith(f"{name} to ")]
    ends += [name for name in rates if gap and str(gap["reference"]).endswith(f" to {name}")]
    if gap is None or len(ends) != 2:
        return ""
    rising = rates[ends[0]].get("direction") == "higher" or finding.metric.startswith("accuracy")
    worst, best = ends if rising else reversed(ends)
    of = visible(finding.by.replace(",", " and ").replace("_", " "))
    within = f" among {slice_text(where)}" if where else ""
    apart, chance = written(gap), ""
    if finding.p_adj is not None:
        chance = f"; by chance alone it would be as large at most {100 * max(finding.p_adj, 1e-4):.2g} times in 100"
    return (
        f"Worse off: {of} {visible(worst)}{within}. {title(finding.metric)} is {written(rates[worst]).text} there and "
        f"{written(rates[best]).text} for {visible(best)}, a difference of {apart.value} (95 % interval "
        f"{apart.interval}){chance}."
    )
