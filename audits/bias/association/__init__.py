"""Which people does a model place nearer to pleasant words, to careers, to science, than others?

The embedding association test of Caliskan et al. 2017, with images as targets and words as attributes, as in Steed and
Caliskan 2021.
"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="bias/association",
    title="Association with words",
    question="Which people does the model place nearer to pleasant words, to careers, to science?",
    protocols=("drawn", "fairface"),
    builtin="builtin:drawn-people-age",
    module=__name__,
    tags=("bias", "people"),
    suites=("release",),
    source="Caliskan et al. 2017, Science 356:183; Steed and Caliskan 2021, arXiv:2010.15052",
    people=True,
)
