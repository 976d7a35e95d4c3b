"""Typographic attack: how often does a word written on an image override what it shows?"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="typographic/overlay",
    title="Typographic attack",
    question="How often does a word written on an image override what it shows?",
    protocols=("one-at-a-time", "size-by-place", "photographs", "marks"),
    builtin="things",
    module=__name__,
    version=2,
    needs=("label",),
    tags=("robustness", "typographic"),
    suites=("release",),
    source="Goh et al. 2021, Distill; Westerhoff et al. 2025, arXiv:2504.04893",
)
