"""The table of audits: their questions, and the packages that answer them."""

from __future__ import annotations

from audits.contracts import Audit
from workbench.errors import unknown_name

_SURVEILLANCE = (
    "CLIP's model card puts surveillance and face recognition out of scope whatever the performance. This audit "
    "measures that risk in aggregate. Equal performance across groups is not acceptable use."
)

AUDITS: tuple[Audit, ...] = (
    Audit(
        key="bias/face-attributes",
        version=2,
        title="Race, gender and age of faces",
        question="How well does the model recognise race, gender and age, and for whom less well?",
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
        version=2,
        title="Derogatory labels",
        question="How often is a person labelled with a crime or an animal, and for whom more often?",
        module="audits.bias.denigration",
        protocols=("drawn", "clip-2021"),
        builtin="builtin:drawn-people-age",
        tags=("bias", "people"),
        source="Radford et al. 2021, arXiv:2103.00020, section 7.1, tables 6 and 7",
        people=True,
    ),
    Audit(
        key="bias/label-design",
        version=2,
        title="Label design",
        question="How much of a derogatory rate depends on labels and prompts, and how much on the group?",
        module="audits.bias.label_design",
        protocols=("drawn", "clip-2021"),
        builtin="builtin:drawn-people-age",
        tags=("bias", "people", "prompts"),
        source="Radford et al. 2021, arXiv:2103.00020, section 7.1",
        people=True,
    ),
    Audit(
        key="bias/retrieval-skew",
        version=2,
        title="Skew in retrieval",
        question="Does a search that names no group rank some groups first?",
        module="audits.bias.retrieval_skew",
        protocols=("drawn", "fairface"),
        builtin="builtin:drawn-people-age",
        tags=("bias", "people", "retrieval"),
        source="Geyik, Ambler and Kenthapadi 2019, arXiv:1905.01989, section 3",
        people=True,
    ),
    Audit(
        key="bias/association",
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
        version=2,
        title="Occupations",
        question="Which occupations and appearance labels does the model give to women, and which to men?",
        module="audits.bias.occupations",
        protocols=("drawn", "congress"),
        builtin="builtin:drawn-people-occupation",
        tags=("bias", "people"),
        source="Radford et al. 2021, arXiv:2103.00020, section 7.1 and figure 18; Schwemmer et al. 2020",
        people=True,
    ),
    Audit(
        key="surveillance/scenes",
        title="Scenes through a camera",
        question="Are captions of scenes correct, and does a close one mislead?",
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
        title="Identity in a gallery",
        question="How do error rates grow with a gallery, and for whom are errors more frequent?",
        module="audits.surveillance.identity",
        protocols=("reference", "names"),
        builtin="characters",
        needs=("label",),
        tags=("surveillance", "people"),
        source="Radford et al. 2021, arXiv:2103.00020, section 7.2 and table 8",
        people=True,
        intended_use=_SURVEILLANCE
        + " Use drawn characters, or images whose subjects consented; the audit never says who an image shows.",
    ),
    Audit(
        key="typographic/overlay",
        version=2,
        title="Typographic attack",
        question="How often does a word written on an image override what it shows?",
        module="audits.typographic.overlay",
        protocols=("one-at-a-time", "photographs", "marks"),
        builtin="things",
        needs=("label",),
        tags=("robustness", "typographic"),
        source="Goh et al. 2021, Distill; Westerhoff et al. 2025, arXiv:2504.04893",
    ),
    Audit(
        key="shift/natural",
        title="Natural shift",
        question="How much does accuracy fall on other kinds of images of the same classes?",
        module="audits.shift.natural",
        protocols=("styles", "imagenet"),
        builtin="styles",
        needs=("label", "style"),
        tags=("robustness",),
        source="Taori et al. 2020, arXiv:2007.00644; Radford et al. 2021, arXiv:2103.00020, section 3.3",
    ),
    Audit(
        key="robustness/corruptions",
        title="Corruptions",
        question="How much accuracy is left under noise, blur, weather and digital artefacts?",
        module="audits.robustness.corruptions",
        protocols=("quick", "full", "imagenet-c"),
        builtin="drawn-things",
        needs=("label",),
        tags=("robustness",),
        source="Hendrycks and Dietterich 2019, arXiv:1903.12261, section 3",
    ),
    Audit(
        key="adversarial/lp",
        title="Adversarial pixels",
        question="How small a change, made with the model's own gradients, changes the answer?",
        module="audits.adversarial.lp",
        protocols=("quick", "full"),
        builtin="drawn-things",
        needs=("label",),
        tags=("robustness",),
        source="Madry et al. 2018, arXiv:1706.06083; Croce and Hein 2020, arXiv:2003.01690",
        white_box=True,
    ),
    Audit(
        key="limits/counting",
        title="Counting",
        question="Does the answer to “how many?” follow the number of things?",
        module="audits.limits.counting",
        protocols=("one-to-ten", "clevr"),
        builtin="counted-things",
        needs=("label",),
        tags=("limits",),
        source="Radford et al. 2021, arXiv:2103.00020, section 3.1.5",
    ),
    Audit(
        key="limits/ood",
        title="Unknown images and digits",
        question="Does a score separate unknown images from known ones, and are digits read?",
        module="audits.limits.ood",
        protocols=("known-unknown",),
        builtin="known-and-unknown",
        needs=("label",),
        tags=("limits",),
        source="Ming et al. 2022, arXiv:2211.13445; Liu et al. 2020, arXiv:2010.03759",
    ),
    Audit(
        key="limits/prompts",
        title="Wording of prompts",
        question="How much does the wording matter when labels and images stay the same?",
        module="audits.limits.prompts",
        protocols=("eighty", "seven"),
        builtin="drawn-things",
        needs=("label",),
        tags=("limits",),
        source="Radford et al. 2021, arXiv:2103.00020, section 3.1.4",
    ),
    Audit(
        key="calibration",
        title="Calibration",
        question="When the model says 80 %, is it right in 80 of 100 cases?",
        module="audits.calibration",
        protocols=("label-set-sizes",),
        builtin="drawn-things",
        needs=("label",),
        tags=("limits",),
        source="Guo et al. 2017, arXiv:1706.04599, sections 2 and 4",
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
