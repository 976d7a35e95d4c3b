"""Counting: does the answer to "how many?" follow the number of things?

Asked twice with the same things, once of one size and once with one total area, to separate counting from judging how
full an image is.
"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="limits/counting",
    title="Counting",
    question="Does the answer to “how many?” follow the number of things?",
    protocols=("one-to-ten", "clevr"),
    builtin="counted-things",
    module=__name__,
    needs=("label",),
    tags=("limits",),
    suites=("quick", "release"),
    source="Radford et al. 2021, arXiv:2103.00020, section 3.1.5",
)
