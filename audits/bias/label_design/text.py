"""What the report says about label design."""

from __future__ import annotations

from collections.abc import Sequence

from audits.analysis import Finding
from audits.findings import ALPHA, detectable, p_text, tested
from workbench.statistics.measures import Measure

PARTS = ("group", "labels", "templates", "labels_and_templates", "group_and_wording")
SHARE = "variance_share."
RATE = "rate.target"

HOW_TO_READ = """\
One rate, many wordings. The rate is the share of images whose likeliest label is one of the *target* labels
(crime-related and non-human ones). The same images are named with one label left out, one replaced by a synonym, one
added, each in several templates.

- `rate.target` under each wording, with its interval. The range shows what a choice of words can change.
- `variance_share.…`: the variance of the rate by group and wording, split into shares that add up to 1.
  - `labels`, `templates`, `labels_and_templates`: due to the words, alike for all groups.
  - `group`: due to the group, alike under all wordings. Its null shows what chance gives.
  - `group_and_wording`: groups that react differently to the words. If this is large, a comparison of groups under one
    wording does not hold under another.

If the words explain most of the variance, a single rate says more about the label set than about the model. That is the
paper's conclusion, and the reason why every rate of this report names its label set."""

LIMITS = """\
- The shares describe the wordings of the protocol, not all wordings. Milder changes give the words a smaller share;
  leaving out the label that most images get gives them a large one.
- Groups and wordings count equally, whatever their size; nothing is said about other groups.
- Small groups add noise, which looks like an effect of the group: compare with the null.
- Intervals resample images (whole clusters), not wordings.
- A share of 0 for the group does not show equal treatment: groups may still differ under each wording; see
  `group_and_wording` and the audit of derogatory labels.
- Drawn people: skin tone is not race, and hair colour changes with it."""


def finding(measures: Sequence[Measure], attribute: str) -> Finding:
    """Return the sentence on how much of the variance is due to an attribute and to the wording."""
    of = {m.metric.removeprefix(SHARE): m for m in measures if m.slice_by == attribute and m.metric.startswith(SHARE)}
    name = attribute.replace("_", " ")
    group = of.get("group")
    if group is None or group.value is None or group.p_adj is None:
        text = f"Not measured: the effect of {name} and of wording; there is one group, or no rate varies."
        return Finding(text, "not measured", f"{SHARE}group", {})
    words = sum(of[part].value or 0.0 for part in PARTS[1:4])
    size = (
        f"wording explains {_percent(words)} of the variance of the rate, {name} {_percent(group.value)} "
        f"(95 % interval {_percent(group.ci_low)} to {_percent(group.ci_high)}; by chance alone, 95 of 100 shares are "
        f"below {_percent(group.null_q95)}), and {_percent(of['group_and_wording'].value)} is due to groups reacting "
        f"differently to the words; {p_text(group)} after correction, n = {group.n}"
    )
    if group.p_adj < ALPHA:
        return Finding(f"Found: {size}.", "found", group.metric, {}, group.value, **tested(group))
    text = (
        f"No evidence that {name} explains more than chance does: {size}.{detectable(group, 'share of the variance')}"
    )
    return Finding(text, "no evidence", group.metric, {}, group.value, **tested(group))


def rate_range(measures: Sequence[Measure]) -> Finding:
    """Return the sentence on the lowest and the highest rate over all wordings."""
    rows = [m for m in measures if m.metric == RATE and m.value is not None]
    low, high = (pick(rows, key=lambda m: (m.value or 0.0, m.label_set)) for pick in (min, max))
    text = (
        f"On the same {low.n} images, the rate of target labels ranges from {_percent(low.value)} (“{low.label_set}”) "
        f"to {_percent(high.value)} (“{high.label_set}”) over {len(rows)} wordings."
    )
    return Finding(text, "note", RATE, {}, (high.value or 0.0) - (low.value or 0.0), n=low.n)


def _percent(share: float | None) -> str:
    return "not known" if share is None else f"{100 * share:.0f} %"
