"""What the report says about adversarial pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.adversarial.lp.attack import NOISE, WORST
from audits.adversarial.surrogates import MADE_ON, how_to_get
from audits.analysis import Finding
from audits.shares import percent
from workbench.statistics.measures import Measure

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.protocol import Protocol as Rules

ALPHA = 0.05
_FEWEST = 20  # pictures below which nothing is concluded
HOW_TO_READ = """
An attacker who has the model changes every picture a little, to have it named otherwise. **Epsilon** says how much:
for `linf` the largest change of any value, in 255ths; for `l2` the Euclidean length of the whole change, with
values in 0..1. At 4/255 hardly anybody sees it.

**Robust accuracy** is the share of all pictures that is still named rightly; `worst` counts a picture only where no
attack of that size succeeded. **Attack success** counts, among those named rightly before, how many were lost.
**Noise** of the same size knows nothing of the model: what it does not do and an attack does is the attack's own.
Attacks **made on** another model are shown to this one, which judges what was not optimised against it: what they do
less, the weights are the reason for, and not the picture. To have this model's attacks judged by another, audit the
other one with this one among `surrogates`.
Every change is compared picture by picture with the clean answer, over the same labels.

At epsilon 0 nothing may change; where it does, or another sanity flag stands, the numbers are not to be believed.
"""
LIMITS = """
- Robust accuracy is an upper bound: attacks that were not tried, with more steps or restarts, can only lower it.
- The attacker has weights and gradients. Who has only the answers needs other, slower attacks.
- Models without a defence fall at small sizes: the expected result, and by itself no reason to prefer another.
- The shipped pictures are drawings. Their flat areas leave an attacker much room.
- Changes are made to the square that the model sees, after resizing; on paper or in a file they must survive more.
"""


def absent(samples: DataFrame, rules: Rules) -> list[Finding]:
    """Say which surrogates were left out."""
    told = []
    for key in map(str, rules.settings.get("surrogates", ())):
        if not samples["attack"].str.endswith(f"{MADE_ON}{key}").any():
            text = (
                f"Attacks made on {key} were skipped: it is not on this machine. To have pictures that were not "
                f"optimised against the model that judges them, get it with: {how_to_get(key)}"
            )
            told.append(Finding(text, "not measured", "accuracy_change", {"attack": f"{WORST}{MADE_ON}{key}"}))
    return told


def findings(measures: list[Measure]) -> list[Finding]:
    """Return the sentences that the measures support."""
    result = []
    for m in measures:
        attack, _, other = m.slice.get("attack", "").partition(MADE_ON)
        if m.metric != "accuracy_change" or attack not in (WORST, NOISE):
            continue
        who = "Noise" if attack == NOISE else "The worst of the attacks" + (f"{MADE_ON}{other}," if other else "")
        what = f"{who} of {m.slice['norm']} {m.slice['epsilon']}"
        if m.value is None or m.p_adj is None or (m.n or 0) < _FEWEST:
            result.append(
                Finding(f"{what}: not measured, with {m.n} pictures.", "not measured", m.metric, m.slice, n=m.n)
            )
        elif m.p_adj < ALPHA and m.value < 0:
            text = f"{what} takes the right name from {percent(-m.value)} of all {m.n} pictures."
            result.append(Finding(text, "found", m.metric, m.slice, -m.value, m.p_adj, m.n))
        else:
            text = f"{what}: no evidence of a loss, with {m.n} pictures."
            result.append(Finding(text, "no evidence", m.metric, m.slice, abs(m.value), m.p_adj, m.n))
    return result
