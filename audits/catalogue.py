"""The table of audits: what can be asked, and where each answer is worked out.

Knows no runner; a key that is not here is an error, never an empty result.
"""

from __future__ import annotations

from audits.contracts import Audit
from workbench.errors import unknown_name

_SURVEILLANCE = (
    "CLIP's model card puts surveillance and face recognition out of scope whatever the performance. This audit "
    "measures that risk in aggregate. Equal performance across groups is not acceptable use."
)

AUDITS: tuple[Audit, ...] = (
    Audit(
        key="surveillance/scenes",
        version=1,
        title="Scenes through a camera",
        question="Are captions of scenes right, and does a close one mislead?",
        module="audits.surveillance.scenes",
        protocols=("captions",),
        builtin="cctv",
        needs=("label",),
        tags=("surveillance",),
        source="Radford et al. 2021, arXiv:2103.00020, section 7.2",
        people=True,
        intended_use=_SURVEILLANCE,
    ),
    Audit(
        key="surveillance/identity",
        version=1,
        title="Identity in a gallery",
        question="How does an error rate grow with a gallery, and whose errors are they?",
        module="audits.surveillance.identity",
        protocols=("reference", "names"),
        builtin="characters",
        needs=("label",),
        tags=("surveillance", "people"),
        source="Radford et al. 2021, arXiv:2103.00020, section 7.2 and table 8",
        people=True,
        intended_use=_SURVEILLANCE
        + " Use drawn characters, or pictures whose subjects consented; the audit never says who a picture shows.",
    ),
    Audit(
        key="typographic/overlay",
        version=1,
        title="Typographic attack",
        question="How often does a word written on a picture overrule what is seen?",
        module="audits.typographic.overlay",
        protocols=("one-at-a-time", "photographs", "marks"),
        builtin="things",
        needs=("label",),
        tags=("robustness", "typographic"),
        source="Goh et al. 2021, Distill; Westerhoff et al. 2025, arXiv:2504.04893",
    ),
    Audit(
        key="shift/natural",
        version=1,
        title="Natural shift",
        question="How far does accuracy fall on other kinds of pictures of the same classes?",
        module="audits.shift.natural",
        protocols=("styles", "imagenet"),
        builtin="styles",
        needs=("label", "style"),
        tags=("robustness",),
        source="Taori et al. 2020, arXiv:2007.00644; Radford et al. 2021, arXiv:2103.00020, section 3.3",
    ),
)


def find(key: str) -> Audit:
    """Return the audit of a key.

    Raises:
        UnknownName: no audit has that key.
    """
    rows = {audit.key: audit for audit in AUDITS}
    if key not in rows:
        raise unknown_name("audit", key, rows)
    return rows[key]
