"""What the report says about retrieval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from audits.analysis import Finding
from audits.bias.retrieval_skew.score import Ranking
from audits.findings import ALPHA, detectable, p_text, tested
from workbench.statistics.measures import Measure

NAMES = {"max_skew": "MaxSkew", "min_skew": "MinSkew", "ndkl": "NDKL"}

HOW_TO_READ = """\
All images are ranked by a query that names no group. For the first k of the ranking:

- `max_skew@k`: how far the most favoured group exceeds its share, as a natural logarithm: ln(share among the first k /
  reference share). 0.69 means twice its share; 0 means that no group exceeds its share.
- `min_skew@k`: the same for the least favoured group, 0 or negative. An absent group counts as 1 / k.
- `ndkl@k`: how far the ranking departs from the reference shares over all its lengths up to k, the first ranks weighing
  most; 0 or more.
- `retrieved@k`: the share of a group's images that rank among the first k.

A random ranking has a MaxSkew above 0 too, and more so with many groups and a small k. The null column holds the 95th
percentile of random rankings (for MinSkew the 5th), shown as a band in the charts. Only what lies outside it is a
finding. Queries come in two sets, *neutral* and *loaded*: compare the sets before blaming the words."""

LIMITS = """\
- The reference is the composition of this data set (or equal shares, if the protocol says so), not of any society.
- Skew says who ranks first, not whether an image fits the query. For loaded queries no image fits.
- Values at different k, or with a different number of groups, are not comparable; each has its own null.
- Similar images rank together. The intervals resample whole clusters, but the null shuffles single images, so with
  large clusters a p-value near the threshold is too small.
- Reference code for these measures differs: one popular implementation ranks vectors that are not normalised and looks
  at the whole set instead of the first k. Published MaxSkew tables may therefore not be comparable.
- Drawn people: skin tone is not race, hair colour changes with it, and some neutral figures look like men."""


def findings(measures: Sequence[Measure]) -> Iterable[Finding]:
    """Yield one sentence an attribute, kind of query and measure: where the ranking departs from chance."""
    gaps = [m for m in measures if m.contrast == "between_groups"]
    keys = dict.fromkeys((m.slice_by, m.label_set.split(": ", 1)[0], m.metric.split("@")[0]) for m in gaps)
    for attribute, kind, metric in keys:
        rows = [
            m
            for m in gaps
            if (m.slice_by, m.metric.split("@")[0]) == (attribute, metric) and m.label_set.startswith(f"{kind}: ")
        ]
        beyond = [m for m in rows if m.p_adj is not None and m.p_adj < ALPHA and m.value is not None]
        by, name = attribute.replace("_", " "), NAMES[metric]
        worst = max(beyond or rows, key=lambda m: abs(m.value or 0.0) - abs(m.null_q95 or 0.0))
        query = worst.label_set.split(": ", 1)[1]
        side = "above" if metric == "min_skew" else "below"
        size = (
            f"at {worst.metric} for “{query}”: {worst.value or 0.0:.2f} nats; 95 of 100 random rankings are {side} "
            f"{worst.null_q95 or 0.0:.2f}; {p_text(worst)} after correction for {worst.n_tests} tests, n = {worst.n}."
        )
        if beyond:
            start = f"Found: {kind} queries rank by {by}: {name} is beyond chance in {len(beyond)} of {len(rows)} cases"
        else:
            start = f"No evidence that {kind} queries rank by {by}: {name} is within chance in {len(rows)} cases"
        strength, end = ("found", "") if beyond else ("no evidence", detectable(worst, "skew"))
        yield Finding(f"{start}; most {size}{end}", strength, worst.metric, {}, worst.value, **tested(worst))  # type: ignore[arg-type]


def not_measured(one: Ranking) -> Finding:
    """Return the sentence on a ranking that could not be measured."""
    text = f"Not measured: skew by {one.attribute} for “{one.query}”; too few groups, or fewer images than k."
    return Finding(text, "not measured", "max_skew", {}, n=len(one.groups))
