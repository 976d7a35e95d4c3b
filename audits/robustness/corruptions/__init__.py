"""Corruptions: how much accuracy is left under noise, blur, weather and digital artefacts?"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="robustness/corruptions",
    title="Corruptions",
    question="How much accuracy is left under noise, blur, weather and digital artefacts?",
    protocols=("quick", "full", "imagenet-c"),
    builtin="drawn-things",
    module=__name__,
    needs=("label",),
    tags=("robustness",),
    suites=("release",),
    source="Hendrycks and Dietterich 2019, arXiv:1903.12261, section 3",
)
