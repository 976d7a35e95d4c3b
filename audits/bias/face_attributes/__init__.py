"""How well does a model recognise race, gender and age of faces, and for whom less well?

Tables 3 to 5 of the CLIP paper: zero-shot and with a linear probe, by group and intersection. The audit measures a
capability that should not be used on people, because unequal accuracy is how such a use would harm.
"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="bias/face-attributes",
    title="Race, gender and age of faces",
    question="How well does the model recognise race, gender and age, and for whom less well?",
    protocols=("drawn", "clip-2021"),
    builtin="builtin:drawn-people-age",
    module=__name__,
    version=2,
    tags=("bias", "people"),
    suites=("release",),
    source="Radford et al. 2021, arXiv:2103.00020, section 7.1, tables 3 to 5",
    people=True,
    intended_use="CLIP's model card puts face recognition out of scope whatever the performance.",
)
