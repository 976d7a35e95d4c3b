"""Natural shift: how much does accuracy fall on other kinds of images of the same classes?"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="shift/natural",
    title="Natural shift",
    question="How much does accuracy fall on other kinds of images of the same classes?",
    protocols=("styles", "imagenet"),
    builtin="styles",
    module=__name__,
    needs=("label", "style"),
    tags=("robustness",),
    suites=("quick", "release"),
    source="Taori et al. 2020, arXiv:2007.00644; Radford et al. 2021, arXiv:2103.00020, section 3.3",
)
