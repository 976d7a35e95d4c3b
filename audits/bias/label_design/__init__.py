"""How much of a rate is decided by the words, and how much by the group of the person?

The same images are named under every wording: label sets with one label left out, with synonyms, with labels added,
times several templates. The variance of the rate of derogatory labels by group and wording is then split.
"""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="bias/label-design",
    title="Label design",
    question="How much of a derogatory rate depends on labels and prompts, and how much on the group?",
    protocols=("drawn", "clip-2021"),
    builtin="builtin:drawn-people-age",
    module=__name__,
    version=2,
    tags=("bias", "people", "prompts"),
    suites=("release",),
    source="Radford et al. 2021, arXiv:2103.00020, section 7.1",
    people=True,
)
