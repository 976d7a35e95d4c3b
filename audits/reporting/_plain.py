"""The first sentences of a report, for everybody: who is worse off, by how much, how sure, and who was not judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audits.equal_odds import LABEL, METRIC, rate_of
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
    by, where = finding.by.split(","), dict(finding.slice or {})
    same = [row for row in rows(run.metrics) if str(row.get("label_set") or "") == finding.label_set]
    gap = next(
        (
            row
            for row in same
            if (row["metric"], row.get("contrast") in GAPS, known(row["value"]))
            == (finding.metric, True, finding.effect)
        ),
        None,
    )
    if gap is None:
        return ""
    reference = str(gap["reference"])
    metric, label, between = rate_of(reference) if finding.metric == METRIC else (finding.metric, "", reference)
    name, within = title(metric), f" among {slice_text(where)}" if where else ""
    if label:
        name, where[LABEL] = title(reference.removesuffix(f", {between}")), label
    rates = {
        SEPARATOR.join(slice[name] for name in by): row
        for row in same
        if (row["metric"], row.get("contrast")) == (metric, "none")
        and (slice := slice_of(row["slice"])).keys() == {*by, *where}
        and where.items() <= slice.items()
    }
    ends = [name for name in rates if between.startswith(f"{name} to ")]
    ends += [name for name in rates if between.endswith(f" to {name}")]
    if len(ends) != 2:
        return ""
    rising = rates[ends[0]].get("direction") == "higher" or metric.startswith("accuracy")
    worst, best = ends if rising else reversed(ends)
    of = visible(finding.by.replace(",", " and ").replace("_", " "))
    apart, chance = written(gap), ""
    if finding.p_adj is not None:
        chance = f"; by chance alone it would be as large at most {100 * max(finding.p_adj, 1e-4):.2g} times in 100"
    return (
        f"Worse off: {of} {visible(worst)}{within}. {name} is {written(rates[worst]).text} there and "
        f"{written(rates[best]).text} for {visible(best)}, a difference of {apart.value} (95 % interval "
        f"{apart.interval}){chance}."
    )
