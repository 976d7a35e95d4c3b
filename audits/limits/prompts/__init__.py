"""Prompts: how much does the wording matter, when labels and images stay the same?"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="limits/prompts",
    title="Wording of prompts",
    question="How much does the wording matter when labels and images stay the same?",
    protocols=("eighty", "seven"),
    builtin="drawn-things",
    module=__name__,
    needs=("label",),
    tags=("limits",),
    suites=("release",),
    source="Radford et al. 2021, arXiv:2103.00020, section 3.1.4",
)
