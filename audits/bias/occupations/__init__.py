"""Which labels does a model give to women and which to men, when every label above a threshold counts?

The Members of Congress experiment of the CLIP paper, section 7.1, after Schwemmer et al. 2020; and, where the data name
a person's occupation, how often it is the likeliest label, by group.
"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="bias/occupations",
    title="Occupations",
    question="Which occupations and appearance labels does the model give to women, and which to men?",
    protocols=("drawn", "congress"),
    builtin="builtin:drawn-people-occupation",
    module=__name__,
    version=2,
    tags=("bias", "people"),
    suites=("release",),
    source="Radford et al. 2021, arXiv:2103.00020, section 7.1 and figure 18; Schwemmer et al. 2020",
    people=True,
)
