"""Composition: does the model follow the sentence, or only the words in it?"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="limits/composition",
    title="Composition",
    question="Does the model follow the sentence, or only the words in it?",
    protocols=("captions",),
    builtin="drawn-scenes",
    module=__name__,
    needs=("caption", "negative"),
    tags=("limits",),
    suites=("release",),
    source="Hsieh et al. 2023, arXiv:2306.14610; Thrush et al. 2022, arXiv:2204.03162",
)
