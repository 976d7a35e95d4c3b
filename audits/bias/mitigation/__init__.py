"""What would help against bias: remedies that need no training, each with its gain and its cost."""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="bias/mitigation",
    title="Remedies against bias",
    question="What would help: which remedies lessen bias, what do they cost, and what do they not mend?",
    protocols=("gender", "skin-tone"),
    builtin="builtin:drawn-people-occupation",
    module=__name__,
    needs=("label",),
    tags=("bias", "people", "retrieval"),
    suites=("release",),
    source="LEACE: arXiv:2306.03819; calibrated prompts: arXiv:2302.00070; constrained ranking: arXiv:1905.01989",
    people=True,
)
