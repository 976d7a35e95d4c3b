"""What cannot be judged: numbers whose 95 % interval reaches more than 10 points to one side, named with their groups.

A group whose share lies beyond those of the other groups together, by a test corrected for the number of groups, is
judged however wide its interval is: it is flagged `below_others` or `above_others` instead.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from audits.analysis import Analysis, Finding
from audits.detectable import family
from audits.equal_odds import LABEL, is_rate
from audits.findings import amount
from workbench.statistics.differences import difference_test
from workbench.statistics.intervals import proportion
from workbench.statistics.measures import Measure
from workbench.statistics.row import canonical

PRECISION = 0.10  # that an interval may reach to each side
NOT_JUDGED = "not_judged"
_ALPHA = 0.05
_UNITS = ("share", "difference", "probability")  # of numbers between -1 and 1
_FIRST = 4  # numbers of a group that a sentence spells out
_NAMED = 30  # groups of a gap that its sentence names


def marked(measures: Sequence[Measure], attributes: Collection[str]) -> list[Measure]:
    """Return the measures; numbers that cannot be judged are flagged, with the number of cases that would be needed.

    `attributes` are the names in slices that are attributes of the image.
    """
    beyond = _beyond_others(measures, attributes)
    result = []
    for at, one in enumerate(measures):
        flag = beyond.get(at, "" if precise(one) else NOT_JUDGED)
        needed = cases_needed(one) if flag == NOT_JUDGED else None
        result.append(replace(one, flags=(*one.flags, flag), n_needed=needed) if flag else one)
    return result


def precise(measure: Measure) -> bool:
    """Say whether a number is as precise as asked; contrasts and numbers on another scale are not asked."""
    if measure.contrast not in ("none", "paired") or measure.unit not in _UNITS:
        return True
    if measure.value is None:
        return measure.n != 0 or not measure.slice  # a group without cases
    if measure.ci_low is None or measure.ci_high is None:
        return "degenerate" in measure.flags or (measure.n or 0) > 1
    return max(measure.value - measure.ci_low, measure.ci_high - measure.value) <= PRECISION


def cases_needed(measure: Measure) -> int | None:
    """Return about how many cases a number needs to be as precise as asked.

    For a share, at the value within its interval that needs the most, and with clusters as large as they are; for other
    numbers, in proportion to the square of the interval.
    """
    low, high, n = measure.ci_low, measure.ci_high, measure.n or 0
    if measure.unit == "share":
        low, high = (0.0, 1.0) if low is None or high is None else (low, high)
        share, clusters = min(max(0.5, low), high), n / measure.n_effective if measure.n_effective else 1.0
        size = math.ceil(3.841459 * share * (1 - share) / PRECISION**2)
        while not precise(_share(round(share * size), size)):
            size += 1
        return math.ceil(size * clusters)
    if low is None or high is None or measure.value is None:
        return None
    return math.ceil(n * (max(measure.value - low, high - measure.value) / PRECISION) ** 2)


def added(analysis: Analysis, attributes: Collection[str]) -> Analysis:
    """Return the analysis with its numbers marked, and what cannot be judged named in its findings.

    Each group has a sentence, so have the numbers of all images, and those of conditions such as a severity; the
    sentence on a gap names the groups of that gap.
    """
    measures = marked(analysis.measures, attributes)
    groups: dict[str, list[Measure]] = {}
    for one in measures:
        if one.contrast in ("none", "paired") and one.unit in _UNITS:
            own = {name: value for name, value in one.slice.items() if name in attributes}
            groups.setdefault(canonical(own) if own or not one.slice else "conditions", []).append(one)
    sentences = [_sentence(key, rows) for key, rows in groups.items() if any(NOT_JUDGED in one.flags for one in rows)]
    every = [one for rows in groups.values() for one in rows]
    if every and all(NOT_JUDGED in one.flags for one in every):
        text = f"Not judged: the audit as a whole; none of its {len(every)} numbers is within 10 points."
        sentences.insert(0, Finding(text, "not judged"))
    findings = [replace(one, text=one.text + _names(one, measures)) for one in analysis.findings]
    return replace(analysis, measures=measures, findings=[*findings, *sentences])


def _share(k: int, n: int) -> Measure:
    share = proportion(k, n)
    return Measure(metric="", value=share.value, ci_low=share.low, ci_high=share.high, n=n)


def _beyond_others(measures: Sequence[Measure], attributes: Collection[str]) -> dict[int, str]:
    """Return which groups' shares lie beyond those of all other groups together: place -> flag."""
    families: dict[tuple[str, ...], list[int]] = {}
    for at, one in enumerate(measures):
        if one.contrast == "none" and one.value is not None and one.n_effective and set(one.slice) & set(attributes):
            families.setdefault(family(one, attributes), []).append(at)
    flags = {}
    for places in families.values():
        counts = {
            at: (round((measures[at].value or 0) * (size := measures[at].n_effective or 0)), size) for at in places
        }
        hits, cases = (sum(pair[side] for pair in counts.values()) for side in (0, 1))
        for at, (k, n) in counts.items():
            p_value = difference_test((k, n), (hits - k, cases - n))
            if p_value is not None and p_value < _ALPHA / len(places):
                flags[at] = "below_others" if k / n < (hits - k) / (cases - n) else "above_others"
    return flags


def _sentence(key: str, rows: Sequence[Measure]) -> Finding:
    """Name what cannot be judged of one group, of all images, or under conditions."""
    wide = [one for one in rows if NOT_JUDGED in one.flags]
    slice: Mapping[str, str] = {}
    if key == "conditions":
        names = dict.fromkeys(name for one in wide for name in one.slice)
        where = f"single {' and '.join(names)}".replace("_", " ")
    elif key == canonical({}):
        where = "all images together"
    else:
        slice = {name: value for name, value in wide[0].slice.items() if f'"{name}":' in key}
        where = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in slice.items())
    first = sorted(wide, key=lambda one: (bool(set(one.slice) - set(slice)), one.n or 0))[:_FIRST]
    more = f"; and {len(wide) - len(first)} more" if len(wide) > len(first) else ""
    text = "; ".join(_number(one) for one in first)
    return Finding(
        f"Not judged within 10 points: {where}, in {len(wide)} of {len(rows)} numbers: {text}{more}.",
        "not judged",
        first[0].metric,
        slice,
        n=first[0].n,
    )


def _number(one: Measure) -> str:
    labels = f" ({one.label_set})" if one.label_set else ""
    needed = "" if one.n_needed is None else f", about {one.n_needed} images needed"
    return f"{one.metric}{labels} {amount(one)}{needed}"


def _names(finding: Finding, measures: Sequence[Measure]) -> str:
    """Name the groups of a gap that cannot be judged."""
    if not finding.by:
        return ""
    where = dict(finding.slice or {})
    names = {*finding.by.split(","), *where}
    groups = [
        f"{', '.join(value for name, value in one.slice.items() if name not in where)} (n = {one.n})"
        for one in measures
        if NOT_JUDGED in one.flags
        and (one.label_set, one.contrast) == (finding.label_set, "none")
        and ((rate := is_rate(one.metric, finding.metric)) or one.metric == finding.metric)
        and set(one.slice) == (names | {LABEL} if rate else names)
        and where.items() <= one.slice.items()
    ]
    more = f"; and {len(groups) - _NAMED} more" if len(groups) > _NAMED else ""
    return f" Not judged: {'; '.join(groups[:_NAMED])}{more}." if groups else ""
