"""Scenes through a camera: are coarse captions right, and does a close one mislead?"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="surveillance/scenes",
    title="Scenes through a camera",
    question="Are captions of scenes correct, and does a close one mislead?",
    protocols=("captions",),
    builtin="cctv",
    module=__name__,
    needs=("label",),
    tags=("surveillance",),
    suites=("quick", "release"),
    source="Radford et al. 2021, arXiv:2103.00020, section 7.2",
    people=True,
    intended_use=(
        "CLIP's model card puts surveillance and face recognition out of scope whatever the performance."
        " This audit measures that risk in aggregate. Equal performance across groups is not acceptable "
        "use."
    ),
)
