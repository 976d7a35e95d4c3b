"""Identity: how error rates grow with a gallery, and for whom errors are more frequent; in aggregate only."""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="surveillance/identity",
    title="Identity in a gallery",
    question="How do error rates grow with a gallery, and for whom are errors more frequent?",
    protocols=("reference", "names"),
    builtin="characters",
    module=__name__,
    needs=("label",),
    tags=("surveillance", "people"),
    suites=("release",),
    source="Radford et al. 2021, arXiv:2103.00020, section 7.2 and table 8",
    people=True,
    intended_use=(
        "CLIP's model card puts surveillance and face recognition out of scope whatever the performance."
        " This audit measures that risk in aggregate. Equal performance across groups is not acceptable "
        "use. Use drawn characters, or images whose subjects consented; the audit never says who an "
        "image shows."
    ),
)
