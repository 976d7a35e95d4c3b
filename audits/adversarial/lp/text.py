"""What the report says about adversarial pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pandas import DataFrame

from audits.adversarial.lp.attack import NOISE, WORST
from audits.adversarial.surrogates import MADE_ON, how_to_get
from audits.analysis import Finding
from audits.contracts import ModelFacts
from audits.findings import finding
from audits.protocol import Protocol as Rules
from workbench.statistics.measures import Measure

_FEWEST = 20  # images below which nothing is concluded

HOW_TO_READ = """
An attacker who has the model changes every image slightly, so that it is named as something else. **Epsilon** is the
size of the change: for `linf` the largest change of any value, in 255ths; for `l2` the Euclidean length of the whole
change, with values in 0..1. At 4/255 hardly anybody sees it.

**Robust accuracy** is the share of all images that are still named correctly; `worst` counts an image only where no
attack of that size succeeded. **Attack success** is the share of the images named correctly before that are lost.
**Noise** of the same size does not use the model. Only damage beyond noise counts as the attack's.
Attacks **made on** another model are shown to this one, which was not optimised against. The shortfall against direct
attacks shows how far they depend on this model's weights. To have this model's attacks judged by another model, audit
that model with this one among `surrogates`.
Every change is compared image by image with the clean answer, over the same labels.

At epsilon 0 nothing may change. If it does, or if another warning is shown, do not trust the numbers.
"""

LIMITS = """
- Robust accuracy is an upper bound: other attacks, more steps or restarts can only lower it.
- The attacker has weights and gradients. An attacker with only the answers needs other, slower attacks.
- Models without a defence fail at small sizes: the expected result, and by itself no reason to prefer another model.
- The shipped images are drawings. Their flat areas leave an attacker much room.
- Changes are made to the square that the model sees, after resizing; on paper or in a file they must survive more.
"""


def findings(measures: Sequence[Measure], samples: DataFrame, rules: Rules, *, model: ModelFacts) -> Iterator[Finding]:
    """Yield the sentences on the worst attacks and on noise, and which surrogates were skipped."""
    for m in measures:
        attack, _, other = m.slice.get("attack", "").partition(MADE_ON)
        if m.metric != "accuracy_change" or attack not in (WORST, NOISE):
            continue
        cause = "noise" if attack == NOISE else "the worst of the attacks" + (f"{MADE_ON}{other}" if other else "")
        what = f"{cause}, {m.slice['norm']} {m.slice['epsilon']},"
        yield finding(
            m,
            f"{what} raises accuracy by {{}}",
            opposite=f"{what} lowers accuracy by {{}}",
            neutral=f"{what} changes accuracy",
            few=_FEWEST,
        )
    for key in map(str, rules.settings.get("surrogates", ())):
        if not samples["attack"].str.endswith(f"{MADE_ON}{key}").any():
            cause, remedy = "not on this machine", f"get it with: {how_to_get(key)}"
            if key == model.key:
                cause, remedy = "the audited model itself", "name another one: --set surrogates=[KEY]"
            text = (
                f"Not measured: attacks made on {key}, which is {cause}. To test attacks that were not optimised "
                f"against this model, {remedy}"
            )
            yield Finding(text, "not measured", "accuracy_change", {"attack": f"{WORST}{MADE_ON}{key}"})
