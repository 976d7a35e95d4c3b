"""What the report says about retrieval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from audits.analysis import Finding
from workbench.statistics.measures import Measure

if TYPE_CHECKING:
    from audits.bias.retrieval_skew.analyse import Ranking

    pass

HOW_TO_READ = """\
All pictures are ranked by a query that names no group. For the first k of the ranking:

- `max_skew@k`: how far the most favoured group is over its share, as a natural logarithm: ln(share among the first k /
  reference share). 0.69 means twice its share. 0 means that no group is over its share.
- `min_skew@k`: the same for the least favoured group, 0 or negative. A group that is absent counts as 1 / k.
- `ndkl@k`: how far the beginning of the ranking departs from the reference shares, over all its lengths up to k, the
  first ranks weighing most; 0 or more.
- `retrieved@k`: the share of a group's pictures that come among the first k.

Even a ranking by lot has a MaxSkew above 0, the more so with many groups and a small k. The null column holds the 95th
percentile of rankings by lot (for MinSkew the 5th), the curve shows it as a band. Only what leaves it is a finding.
Queries are grouped into *neutral* ones and *loaded* ones: compare the two groups before blaming the words."""
LIMITS = """\
- The reference is the make-up of this data set (or equal shares, if the protocol says so), not of any society.
- Skew says who comes first, not whether a picture fits the query. For loaded queries no picture fits.
- Values at different k, or with a different number of groups, are not comparable; each has a null of its own.
- Pictures that resemble each other move together: the intervals draw whole clusters, the null deals single pictures, so
  where clusters are large, a p-value near the threshold is too small.
- Reference code for these measures is known to differ: one popular implementation ranks un-normalised vectors and
  looks at the whole set instead of the first k. Published MaxSkew tables may therefore not be comparable.
- Drawn people: skin tone is not race, hair colour changes with it, and neutral figures look like men in part."""
ALPHA = 0.05
NAMES = {"max_skew": "MaxSkew", "min_skew": "MinSkew", "ndkl": "NDKL"}


def findings(measures: Sequence[Measure]) -> Iterable[Finding]:
    """One sentence an attribute, kind of query and measure: at which queries and k chance does not do."""
    kept = [m for m in measures if m.contrast == "between_groups"]
    keys = dict.fromkeys((m.slice_by, m.label_set.split(": ", 1)[0], m.metric.split("@")[0]) for m in kept)
    for attribute, kind, metric in keys:
        rows = [
            m
            for m in kept
            if (m.slice_by, m.metric.split("@")[0]) == (attribute, metric) and m.label_set.startswith(f"{kind}: ")
        ]
        beyond = [m for m in rows if m.p_adj is not None and m.p_adj < ALPHA and m.value is not None]
        told, name = attribute.replace("_", " "), NAMES[metric]
        if not beyond:
            text = f"No evidence of more skew by {told} than chance gives, in {len(rows)} {name} of {kind} queries."
            yield Finding(text, "no evidence", metric, {}, p_adj=min((m.p_adj or 1.0 for m in rows), default=None))
            continue
        worst = max(beyond, key=lambda m: abs(m.value or 0.0) - abs(m.null_q95 or 0.0))
        text = (
            f"Found: {kind} queries rank by {told}: {name} leaves the band of chance in {len(beyond)} of {len(rows)} "
            f"cases; most at {worst.metric} for “{worst.label_set.split(': ', 1)[1]}”: {worst.value:.2f} nats, "
            f"chance {worst.null_q95:.2f}, p = {worst.p_adj:.3g} after correction, n = {worst.n}."
        )
        yield Finding(text, "found", worst.metric, {}, worst.value, worst.p_adj, worst.n)


def not_measured(one: Ranking) -> Finding:
    """Return the sentence on a ranking that could not be measured."""
    text = (
        f"Not measured: skew by {one.attribute} for “{one.query}”; there are too few groups, or fewer pictures than k."
    )
    return Finding(text, "not measured", "max_skew", {}, n=len(one.groups))
