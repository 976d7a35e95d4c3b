"""Unknown images: does a score separate what was not asked for from what was, and are digits read?"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="limits/ood",
    title="Unknown images and digits",
    question="Does a score separate unknown images from known ones, and are digits read?",
    protocols=("known-unknown",),
    builtin="known-and-unknown",
    module=__name__,
    needs=("label",),
    tags=("limits",),
    suites=("release",),
    source="Ming et al. 2022, arXiv:2211.13445; Liu et al. 2020, arXiv:2010.03759",
)
