"""Negation: does "without a cat" find images without a cat, or the cats?"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="limits/negation",
    title="Negation",
    question="Does “without a cat” find images without a cat, and does subtraction?",
    protocols=("drawn", "photos"),
    builtin="drawn-tags",
    module=__name__,
    tags=("limits", "retrieval"),
    suites=("release",),
    source="Alhamoud et al. 2025, arXiv:2501.09425 (NegBench)",
)
