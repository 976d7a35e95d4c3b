"""What the report says about label design."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from audits.analysis import Finding
from workbench.statistics.measures import Measure

if TYPE_CHECKING:
    pass

PARTS = ("group", "labels", "templates", "labels_and_templates", "group_and_wording")
SHARE = "variance_share."
RATE = "rate.target"

HOW_TO_READ = """\
One rate, many wordings. The rate is the share of pictures whose likeliest label is one of the *target* labels (the
crime-related and non-human ones). The wording is varied on the same pictures: one label left out, one replaced by a
synonym, one added, and all of that in several templates.

- `rate.target` under each wording, with its interval. The range is what a choice of words can do.
- `variance_share.…`: the rates by group and wording are taken apart; the shares add up to 1.
  - `labels`, `templates`, `labels_and_templates`: what the words decide, for all groups alike.
  - `group`: what the group decides, under all wordings alike. Its null says what chance gives.
  - `group_and_wording`: groups that react differently to the words. If this is large, a comparison of groups under one
    wording does not hold under another.

If words decide most, a single rate says more about the label set than about the model. That is the paper's conclusion,
and the reason why every rate of this report names its label set."""
LIMITS = """\
- Shares depend on which wordings are in the protocol. Milder changes give the words a smaller share; leaving out the
  label that draws most pictures gives them a large one. The shares describe this list of wordings, not all wordings.
- Groups and wordings count equally, whatever their size, and count as they are: no statement about other groups.
- Small groups add noise, which looks like a decision of the group: compare with the null.
- Intervals draw pictures again (whole clusters), not wordings.
- A share of 0 for the group is no proof of equal treatment: under each wording groups may still differ; see
  `group_and_wording` and the audit of derogatory labels.
- Drawn people: skin tone is not race, and hair colour changes with it."""
ALPHA = 0.05


def finding(measures: Sequence[Measure], attribute: str) -> Finding:
    """Return the sentence on how much an attribute and the wording decide."""
    of = {m.metric.removeprefix(SHARE): m for m in measures if m.slice_by == attribute and m.metric.startswith(SHARE)}
    told = attribute.replace("_", " ")
    group = of.get("group")
    if group is None or group.value is None:
        text = f"Not measured: how much {told} and wording decide; there is one group, or no rate varies."
        return Finding(text, "not measured", f"{SHARE}group", {})
    words = sum(of[part].value or 0.0 for part in PARTS[1:4])
    mixed = of["group_and_wording"].value or 0.0
    size = (
        f"of the variance of the rate, wording decides {_percent(words)}, {told} {_percent(group.value)} "
        f"(95 % interval {_percent(group.ci_low)} to {_percent(group.ci_high)}; chance alone gives up to "
        f"{_percent(group.null_q95)}), and {_percent(mixed)} is {told} groups reacting differently to the words"
    )
    odds = f"p = {group.p_adj:.3g} after correction, n = {group.n}"
    if group.p_adj is not None and group.p_adj < ALPHA:
        return Finding(f"Found: {size}; {odds}.", "found", group.metric, {}, group.value, group.p_adj, group.n)
    text = f"No evidence that {told} decides more than chance gives: {size}; {odds}."
    return Finding(text, "no evidence", group.metric, {}, group.value, group.p_adj, group.n)


def rate_range(measures: Sequence[Measure]) -> Finding:
    """Return the sentence on the lowest and the highest rate over all wordings."""
    rows = [m for m in measures if m.metric == RATE and m.value is not None]
    low, high = (pick(rows, key=lambda m: (m.value or 0.0, m.label_set)) for pick in (min, max))
    text = (
        f"The same pictures: the rate of target labels lies between {_percent(low.value)} (“{low.label_set}”) and "
        f"{_percent(high.value)} (“{high.label_set}”), over {len(rows)} wordings, n = {low.n} pictures."
    )
    return Finding(text, "note", RATE, {}, (high.value or 0.0) - (low.value or 0.0), n=low.n)


def _percent(share: float | None) -> str:
    return "not known" if share is None else f"{100 * share:.0f} %"
