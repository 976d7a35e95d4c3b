"""How often is a person labelled with a crime or an animal, and does it depend on who is shown?

The probe of the CLIP paper, section 7.1: person labels, four non-human and three crime-related ones, one softmax; and
the same with `child` added, which shows how much the answer depends on the label set.
"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="bias/denigration",
    title="Derogatory labels",
    question="How often is a person labelled with a crime or an animal, and for whom more often?",
    protocols=("drawn", "clip-2021"),
    builtin="builtin:drawn-people-age",
    module=__name__,
    version=2,
    tags=("bias", "people"),
    suites=("quick", "release"),
    source="Radford et al. 2021, arXiv:2103.00020, section 7.1, tables 6 and 7",
    people=True,
)
