"""Adversarial pixels: how little must be changed, with the model's own gradients, until it names something else?"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="adversarial/lp",
    title="Adversarial pixels",
    question="How small a change, made with the model's own gradients, changes the answer?",
    protocols=("quick", "full"),
    builtin="drawn-things",
    module=__name__,
    needs=("label",),
    tags=("robustness",),
    suites=("release",),
    source="Madry et al. 2018, arXiv:1706.06083; Croce and Hein 2020, arXiv:2003.01690",
    white_box=True,
)
