"""Which audits: in groups, each with its question, and a preset that takes all of them briefly."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from audits import catalogue

GROUPS = {  # title -> first parts of keys
    "People": ("bias",),
    "Surveillance": ("surveillance",),
    "Robustness": ("typographic", "shift", "robustness", "adversarial"),
    "Limits": ("limits",),
    "Accuracy": ("accuracy", "calibration"),
}
OTHERS = "Others"  # audits of plugins
FIRST = "typographic/overlay"
BRIEF = 24  # images of each audit of the preset


def group_of(key: str) -> str:
    """Return the title of an audit's group."""
    return next((title for title, parts in GROUPS.items() if key.split("/")[0] in parts), OTHERS)


def boxes() -> list[gr.CheckboxGroup]:
    """Lay out a group of check boxes for each group of audits; groups without one are left out."""
    rows = {title: [one for one in catalogue.AUDITS.values() if group_of(one.key) == title] for title in GROUPS}
    rows[OTHERS] = [one for one in catalogue.AUDITS.values() if group_of(one.key) == OTHERS]
    with gr.Column(elem_id="audit-which"):
        return [
            gr.CheckboxGroup(
                [(f"{one.title}: {one.question}", one.key) for one in audits],
                value=[one.key for one in audits if one.key == FIRST], label=title, elem_classes="one-a-line",
            )
            for title, audits in rows.items() if audits
        ]  # fmt: skip


def joined(chosen: Sequence[Sequence[str] | None]) -> list[str]:
    """Return the audits that are chosen in all groups, each once: a request may repeat one a thousand times."""
    return list(dict.fromkeys(key for part in chosen for key in part or ()))


def everything(groups: Sequence[gr.CheckboxGroup]) -> list[list[str]]:
    """Return all audits, as the values of the groups."""
    return [[str(key) for _, key in group.choices] for group in groups]
