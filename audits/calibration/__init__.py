"""Calibration: when a model says 80 %, is it right in 80 of 100 cases?

Asked for label sets of several sizes, because a softmax over few labels means something else than one over many.
"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="calibration",
    version=2,
    title="Calibration",
    question="When the model says 80 %, is it right in 80 of 100 cases?",
    protocols=("label-set-sizes",),
    builtin="drawn-things",
    module=__name__,
    needs=("label",),
    tags=("limits",),
    suites=("quick", "release"),
    source="Guo et al. 2017, arXiv:1706.04599, sections 2 and 4",
)
