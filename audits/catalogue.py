"""The table of audits: what can be asked, and where each answer is worked out.

Knows no runner; a key that is not here is an error, never an empty result.
"""

from __future__ import annotations

from audits.contracts import Audit
from workbench.errors import unknown_name

AUDITS: tuple[Audit, ...] = (
    Audit(
        key="robustness/corruptions",
        version=1,
        title="Corruptions",
        question="How much accuracy is left when noise, blur, weather and files spoil a picture?",
        module="audits.robustness.corruptions",
        protocols=("quick", "full", "imagenet-c"),
        builtin="drawn-things",
        needs=("label",),
        tags=("robustness",),
        source="Hendrycks and Dietterich 2019, arXiv:1903.12261, section 3",
    ),
    Audit(
        key="adversarial/lp",
        version=1,
        title="Adversarial pixels",
        question="How little must be changed, with the model's own gradients, until it names something else?",
        module="audits.adversarial.lp",
        protocols=("quick", "full"),
        builtin="drawn-things",
        needs=("label",),
        tags=("robustness",),
        source="Madry et al. 2018, arXiv:1706.06083; Croce and Hein 2020, arXiv:2003.01690",
        white_box=True,
    ),
    Audit(
        key="limits/counting",
        version=1,
        title="Counting",
        question="Does the answer to “how many?” follow the number of things?",
        module="audits.limits.counting",
        protocols=("one-to-ten", "clevr"),
        builtin="counted-things",
        needs=("label",),
        tags=("limits",),
        source="Radford et al. 2021, arXiv:2103.00020, section 3.1.5",
    ),
    Audit(
        key="limits/ood",
        version=1,
        title="Unknown pictures and digits",
        question="Does a score tell what was not asked for from what was, and are digits read?",
        module="audits.limits.ood",
        protocols=("known-unknown",),
        builtin="known-and-unknown",
        needs=("label",),
        tags=("limits",),
        source="Ming et al. 2022, arXiv:2211.13445; Liu et al. 2020, arXiv:2010.03759",
    ),
    Audit(
        key="limits/prompts",
        version=1,
        title="Wording of prompts",
        question="How much does the wording decide when labels and pictures stay the same?",
        module="audits.limits.prompts",
        protocols=("eighty", "seven"),
        builtin="drawn-things",
        needs=("label",),
        tags=("limits",),
        source="Radford et al. 2021, arXiv:2103.00020, section 3.1.4",
    ),
    Audit(
        key="calibration",
        version=1,
        title="Calibration",
        question="When the model says 80 %, is it right in 80 of 100?",
        module="audits.calibration",
        protocols=("label-set-sizes",),
        builtin="drawn-things",
        needs=("label",),
        tags=("limits",),
        source="Guo et al. 2017, arXiv:1706.04599, sections 2 and 4",
    ),
)


def find(key: str) -> Audit:
    """Return the audit of a key.

    Raises:
        UnknownName: no audit has that key.
    """
    rows = {audit.key: audit for audit in AUDITS}
    if key not in rows:
        raise unknown_name("audit", key, rows)
    return rows[key]
