"""Sentences that the measures support, by one rule.

not measured   there is no value
not judged     there is one, with fewer cases than the audit asks for (numbers by group: `audits.precision`)
found          the test, after correction, is below 0.05 and the interval excludes what chance gives
equivalent     not found, and the whole interval of the difference lies within 3 points of zero
no evidence    everything else; the sentence names the smallest difference that the data could have shown
"""

from __future__ import annotations

from typing import Any

from audits.analysis import Finding, Strength
from workbench.statistics import p_values
from workbench.statistics.measures import Measure
from workbench.statistics.power import detectable_of_interval
from workbench.statistics.row import GAPS, LEAST_P

ALPHA = 0.05
UNITS = {"share": (100, 1, " %"), "difference": (100, 1, " points"), "nats": (1, 2, " nats")}  # scale, digits, name
MARGIN = 0.03  # a difference whose whole interval is smaller is called equivalent


def strength(measure: Measure, *, few: int = 0, zero: float = 0.0) -> Strength:
    """Return how strongly a measure supports that it differs from `zero`.

    `p_adj` is filled in where the measure has a test. With fewer than `few` cases nothing is concluded.
    """
    value, low, high = measure.value, measure.ci_low, measure.ci_high
    bounded = low is not None and high is not None
    if value is None or (measure.p_adj is None and not bounded):
        return "not measured"
    if (measure.n or 0) < few:
        return "not judged"
    unsure = measure.p_adj is not None and measure.p_adj >= ALPHA
    if low is None or high is None:
        return "no evidence" if unsure else "found"
    if not unsure and not low <= zero <= high:
        return "found"
    small = measure.unit == "difference" and zero == 0 and max(-low, high) < MARGIN
    return "equivalent" if small else "no evidence"


def finding(
    measure: Measure, claim: str, *, opposite: str = "", neutral: str = "", few: int = 0, zero: float = 0.0
) -> Finding:
    """Return the sentence on one measure.

    Args:
        measure: with `p_adj` filled in where it has a test.
        claim: what is claimed where the value lies above `zero`, such as "accuracy falls by {}"; `{}` takes the number.
        opposite: what is claimed where it lies below; a difference then changes its sign.
        neutral: the claim without a direction and a number, for what was not found or not measured.
        few: cases below which nothing is concluded.
        zero: the value without an effect.
    """
    kind = strength(measure, few=few, zero=zero)
    value = measure.value or 0.0
    facts: dict[str, Any] = {"metric": measure.metric, "slice": measure.slice, **tested(measure)}
    if kind in ("not measured", "not judged"):
        whether, minimum = neutral or _whether(claim), f"; {few} images are asked for" if few else ""
        size = f": {amount(measure)}{minimum}" if kind == "not judged" else f" (n = {measure.n})"
        return Finding(f"{kind.capitalize()}: whether {whether}{size}.", kind, **facts)
    facts["effect"] = value - zero
    reverse = value < zero and bool(opposite)
    flip = reverse and measure.unit == "difference"  # a drop of -3 points is a rise of 3
    statement, size = opposite if reverse else claim, amount(measure, flip=flip)
    if kind == "found":
        start = "Found the opposite:" if value < zero and not reverse else "Found:"
        return Finding(f"{start} {statement.replace('{}', size)}.", kind, **facts)
    if neutral:
        statement, size = neutral, amount(measure)
    text = f"{_whether(statement)}: {size}" if neutral or " by {}" in statement else statement.replace("{}", size)
    if kind == "equivalent":
        return Finding(f"Equivalent within {100 * MARGIN:g} points: {text}.", kind, **facts)
    corrected = ""
    if measure.ci_low is not None and measure.ci_high is not None and not measure.ci_low <= zero <= measure.ci_high:
        corrected = f" after correction for {measure.n_tests} tests"
    return Finding(f"No evidence{corrected} that {text}.{detectable(measure)}", kind, **facts)


def _whether(claim: str) -> str:
    """Return a claim without its number."""
    return claim.replace(", by {},", "").replace(" by {}", "").replace("{}", "anything")


def gap_finding(measure: Measure, what: str, *, few: int = 0) -> Finding:
    """Return the sentence on a gap between groups; `what` stands before "differs by"."""
    attributes = " and ".join(name.replace("_", " ") for name in measure.slice_by.split(","))
    labels = f" (labels: {measure.label_set})" if measure.label_set else ""
    claim = f"{what} differs by {attributes}{labels}"
    if measure.contrast == GAPS[1]:
        claim = f"between groups of at least 30, {claim}"
    kind = strength(measure, few=few)
    facts: dict[str, Any] = {"metric": measure.metric, "slice": measure.slice, **tested(measure)}
    facts |= {"by": measure.slice_by, "label_set": measure.label_set}
    if kind == "not measured" or measure.value is None:
        undefined = measure.ci_method.startswith("undefined: ")
        why = measure.ci_method.removeprefix("undefined: ") if undefined else "there are too few groups or images"
        return Finding(f"Not measured: whether {claim}; {why}.", "not measured", **facts)
    null = "" if measure.null_q95 is None else f"; by chance alone, 95 of 100 gaps are below {points(measure.null_q95)}"
    groups = f", {measure.reference}" if measure.value > 0 else ""
    test = "" if measure.p_adj is None else f"; {p_text(measure)} after correction for {measure.n_tests} tests"
    size = f"largest gap {points(measure.value)}{groups}{null}{test}; n = {measure.n}"
    start, end = {
        "equivalent": (f"Equivalent within {100 * MARGIN:g} points:", f" {amount(measure)}."),
        "not judged": ("Not judged: whether", f" {amount(measure)}; {few} images are asked for."),
        "found": ("Found:", ""),
    }.get(kind, ("No evidence that", detectable(measure)))
    return Finding(f"{start} {claim}: {size}.{end}", kind, effect=measure.value, **facts)


def tested(measure: Measure) -> dict[str, Any]:
    """Return what a finding says of its measure's test: n, the p-value, and whether that is an upper bound."""
    return {"n": measure.n, "p_adj": measure.p_adj, "least_p": LEAST_P in measure.flags}


def p_text(measure: Measure) -> str:
    """Write the p-value after correction: "p = 0.012", or "p ≤ 0.0005" where no resample is as extreme."""
    p = 1.0 if measure.p_adj is None else measure.p_adj
    return f"p {p_values.written(p, bound=LEAST_P in measure.flags)}"


def amount(measure: Measure, *, flip: bool = False) -> str:
    """Write the value with its interval and n: shares in %, differences of shares in points; `flip` its sign."""
    if measure.value is None:
        return f"not measured (n = {measure.n})"
    scale, digits, unit = UNITS.get(measure.unit, (1, 2, ""))
    ends = sorted(-end if flip else end for end in (measure.ci_low, measure.ci_high) if end is not None)
    value = f"{scale * (-measure.value if flip else measure.value):.{digits}f}{unit}"
    if len(ends) < 2:
        return f"{value} (n = {measure.n})"
    interval = (
        f"{100 * (measure.level or 0.95):g} % interval {scale * ends[0]:.{digits}f} to {scale * ends[1]:.{digits}f}"
    )
    return f"{value} ({interval}, n = {measure.n})"


def brief(measure: Measure, *, bounds: bool = True, sign: str = "") -> str:
    """Write the value for a table's cell, "12.1 [8.0, 16.4]", or without bounds with its unit; `sign`: "+" for both."""
    scale, digits, unit = UNITS.get(measure.unit, (1, 2, ""))
    value, low, high = measure.value, measure.ci_low, measure.ci_high
    if value is None:
        return "not measured"
    text = f"{scale * value:{sign}.{digits}f}"
    if not bounds or low is None or high is None:
        return text + unit
    return f"{text} [{scale * low:.{digits}f}, {scale * high:.{digits}f}]"


def detectable(measure: Measure, what: str = "difference") -> str:
    """Return the sentence on the smallest difference that 80 of 100 runs like this one would have found.

    Taken from the interval where the measure does not have it; `what` names it, such as "skew".
    """
    smallest, low, high = measure.detectable, measure.ci_low, measure.ci_high
    if smallest is None and low is not None and high is not None and low < high:
        smallest = detectable_of_interval(low, high, level=measure.level or 0.95)
    shares = measure.unit in ("share", "difference")
    if smallest is None or (shares and smallest > 1):
        return f" No {what}, however large, could have been shown with these {measure.n} cases."
    if shares:
        size = points(smallest) if what == "difference" else f"{100 * smallest:.1f} %"
    else:
        size = f"{smallest:.2f}" + (" nats" if measure.unit == "nats" else "")
    return f" The smallest {what} that these {measure.n} cases could have shown is {size}."


def points(share: float) -> str:
    """Write a difference of two shares."""
    return f"{100 * share:.1f} points"
