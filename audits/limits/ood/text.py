"""What the report says about unknown pictures and digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.analysis import Finding
from audits.shares import percent
from workbench.statistics.measures import Measure

if TYPE_CHECKING:
    pass

CHANCE = 0.1  # of reading one of ten digits

ALPHA = 0.05
HOW_TO_READ = """
A score is high where a picture looks like one of the labels. **AUROC** is how often a known picture scores higher
than an unknown one: 0.5 is chance, 1 perfect, and below 0.5 the unknown looks better known than the known.
**FPR95** is the share of unknown pictures that still pass when the bar lets 95 of 100 known ones through: 0 is
best, 0.95 chance.

Four scores: **msp** the largest probability, **max_logit** the largest scaled cosine, **energy** the log of the sum
of exponentials of all, **mcm** the largest of a softmax over plain cosines (temperature 1). Each is set against
every kind of unknown picture on its own, and all together.

**Accuracy** is that of the known pictures among the labels. **Digit accuracy** is a question of its own: which of
the ten digits is printed? Chance is one in ten.
"""
LIMITS = """
- What is unknown depends on the labels asked. A model that knows lions well has no word for them here when only
  tiger is asked, and its near answer is no error of sight.
- The kinds of unknown pictures were chosen by us. Good separation from textures says nothing of the next kind.
- A score that separates on average has no threshold yet: one must be found on other pictures.
- Printed digits are no handwriting; for MNIST and others give a folder with columns `origin` and `label`.
- The average over all unknown kinds weights each kind by its number of pictures.
"""


def findings(measures: list[Measure]) -> list[Finding]:
    """Return the sentences that the measures support."""
    told = [_told_apart(m) for m in measures if m.metric == "auroc" and m.slice["score"] in ("msp", "mcm")]
    return [*told, *(_digits(m) for m in measures if m.metric == "digit_accuracy" and not m.slice)]


def _told_apart(m: Measure) -> Finding:
    what, score = m.slice["against"], m.slice["score"]
    if m.value is None or m.p_adj is None:
        return Finding(f"{score} against {what}: not measured.", "not measured", m.metric, m.slice, n=m.n)
    effect = abs(m.value - 0.5)
    if m.p_adj >= ALPHA:
        text = f"No evidence that {score} tells known pictures from {what} (AUROC {m.value:.2f})."
        return Finding(text, "no evidence", m.metric, m.slice, effect, m.p_adj, m.n)
    way = f"tells known pictures from {what}" if m.value > 0.5 else f"is higher for {what} than for known pictures"
    return Finding(f"{score} {way}: AUROC {m.value:.2f}.", "found", m.metric, m.slice, effect, m.p_adj, m.n)


def _digits(m: Measure) -> Finding:
    if m.value is None or m.p_adj is None or m.value <= CHANCE or m.p_adj >= ALPHA:
        text = f"No evidence that digits are read: {percent(m.value)} of {m.n}, and one in ten is chance."
        return Finding(text, "no evidence", m.metric, m.slice, n=m.n)
    text = f"{percent(m.value)} of {m.n} printed digits are read; one in ten is chance."
    return Finding(text, "found", m.metric, m.slice, m.value - CHANCE, m.p_adj, m.n)
