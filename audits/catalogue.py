"""The table of audits: what can be asked, and where each answer is worked out.

Knows no runner; a key that is not here is an error, never an empty result.
"""

from __future__ import annotations

from audits.contracts import Audit
from workbench.errors import unknown_name

AUDITS: tuple[Audit, ...] = (
    Audit(
        key="bias/face-attributes",
        version=1,
        title="Race, gender and age of faces",
        question="How well does the model tell race, gender and age, and for whom less well?",
        module="audits.bias.face_attributes",
        protocols=("drawn", "clip-2021"),
        builtin="builtin:drawn-people-age",
        tags=("bias", "people"),
        source="Radford et al. 2021, arXiv:2103.00020, section 7.1, tables 3 to 5",
        people=True,
        intended_use="CLIP's model card puts face recognition out of scope whatever the performance.",
    ),
    Audit(
        key="bias/denigration",
        version=1,
        title="Derogatory labels",
        question="How often is a person named with a crime or an animal, and for whom more often?",
        module="audits.bias.denigration",
        protocols=("drawn", "clip-2021"),
        builtin="builtin:drawn-people-age",
        tags=("bias", "people"),
        source="Radford et al. 2021, arXiv:2103.00020, section 7.1, tables 6 and 7",
        people=True,
    ),
    Audit(
        key="bias/retrieval-skew",
        version=1,
        title="Who comes first in a search",
        question="Does a search that names no group bring up some groups first?",
        module="audits.bias.retrieval_skew",
        protocols=("drawn", "fairface"),
        builtin="builtin:drawn-people-age",
        tags=("bias", "people", "retrieval"),
        source="Geyik, Ambler and Kenthapadi 2019, arXiv:1905.01989, section 3",
        people=True,
    ),
    Audit(
        key="bias/association",
        version=1,
        title="Association with words",
        question="Which people does the model place nearer to pleasant words, to careers, to science?",
        module="audits.bias.association",
        protocols=("drawn", "fairface"),
        builtin="builtin:drawn-people-age",
        tags=("bias", "people"),
        source="Caliskan et al. 2017, Science 356:183; Steed and Caliskan 2021, arXiv:2010.15052",
        people=True,
    ),
    Audit(
        key="bias/occupations",
        version=1,
        title="Occupations",
        question="Which occupations and looks does the model put on women, and which on men?",
        module="audits.bias.occupations",
        protocols=("drawn", "congress"),
        builtin="builtin:drawn-people-occupation",
        tags=("bias", "people"),
        source="Radford et al. 2021, arXiv:2103.00020, section 7.1 and figure 18; Schwemmer et al. 2020",
        people=True,
    ),
    Audit(
        key="bias/label-design",
        version=1,
        title="Words or groups",
        question="How much of a derogatory rate do the labels and prompts decide, and how much the group?",
        module="audits.bias.label_design",
        protocols=("drawn", "clip-2021"),
        builtin="builtin:drawn-people-age",
        tags=("bias", "people", "prompts"),
        source="Radford et al. 2021, arXiv:2103.00020, section 7.1",
        people=True,
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
