"""Accuracy: how accurately are images classified by the classes' names, by few labelled images, and by a probe?

Source: Radford et al. 2021, arXiv:2103.00020, sections 3.1.5 and 3.2.
"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="accuracy",
    version=2,
    title="Zero-shot, few shots and a linear probe",
    question="How accurately are images classified by the classes' names, by few labelled images, and by a probe?",
    protocols=("own-images",),
    builtin="moved-drawings",
    module=__name__,
    needs=("label",),
    tags=("accuracy",),
    suites=("release",),
    source="Radford et al. 2021, arXiv:2103.00020, sections 3.1.5 and 3.2",
)
