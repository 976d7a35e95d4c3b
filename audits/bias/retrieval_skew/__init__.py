"""Who ranks first when images of people are searched with a sentence that names no group?"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="bias/retrieval-skew",
    title="Skew in retrieval",
    question="Does a search that names no group rank some groups first?",
    protocols=("drawn", "fairface"),
    builtin="builtin:drawn-people-age",
    module=__name__,
    version=2,
    tags=("bias", "people", "retrieval"),
    suites=("release",),
    source="Geyik, Ambler and Kenthapadi 2019, arXiv:1905.01989, section 3",
    people=True,
)
