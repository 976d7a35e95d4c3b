"""Remedies against bias that need no training of the model: each gives an edited model, made from a lesson.

Does not know where images come from; `audits.bias.mitigation` measures what each remedy gives and costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import unknown_name
from workbench.remedies.erasure import LinearMap, calibrated, leace, projection
from workbench.remedies.lesson import Lesson, clause
from workbench.typographic.learned import Learned

if TYPE_CHECKING:
    from workbench.checkpoints.edit import Edit

LINEAR, PROMPTS = "linear", "prompts"  # names in `loading.edited.KINDS`


@dataclass(frozen=True)
class Remedy:
    """One row of the table."""

    title: str
    summary: str
    kind: str


REMEDIES: Mapping[str, Remedy] = {
    "text-direction": Remedy(
        "Text direction removed", "removes what lies between the texts of two groups, from images and texts", LINEAR
    ),
    "image-direction": Remedy(
        "Image direction removed", "removes what lies between the images of two groups, from images and texts", LINEAR
    ),
    "leace": Remedy(
        "LEACE", "changes images as little as possible, so that no linear probe finds the group", LINEAR
    ),
    "calibrated-prompts": Remedy(
        "Calibrated prompts", "moves texts that differ only in the group to one place", LINEAR
    ),
    "balanced-prompts": Remedy(
        "Balanced prompts", "asks each text for both groups and takes the average", PROMPTS
    ),
}  # fmt: skip


def learned(key: str, lesson: Lesson) -> Learned:
    """Fit a remedy; returns settings and tensors of an edited model.

    Raises:
        UnknownName: no such remedy.
    """
    if key == "text-direction":
        both = projection(lesson.named[1] - lesson.named[0])
        return _linear(both, both)
    if key == "image-direction":
        both = projection(lesson.images[lesson.second].mean(axis=0) - lesson.images[~lesson.second].mean(axis=0))
        return _linear(both, both)
    if key == "leace":
        return _linear(leace(lesson.images, lesson.second), None)
    if key == "calibrated-prompts":
        return _linear(None, calibrated(lesson.named, lesson.pairs))
    if key == "balanced-prompts":
        return Learned({"suffixes": [clause(word) for word in lesson.words], "share": 1.0}, {})
    raise unknown_name("remedy", key, REMEDIES)


def edit_of(key: str, base: str, made: Learned, about: str) -> Edit:
    """Describe the edited model; `about` names the groups on screens, such as "male and female"."""
    from workbench.checkpoints.edit import Edit

    return Edit(base=base, kind=REMEDIES[key].kind, settings=made.settings, title=f"{REMEDIES[key].title}: {about}")


def _linear(images: LinearMap | None, texts: LinearMap | None) -> Learned:
    maps = {"image": images, "text": texts}
    tensors = {name: one.packed for name, one in maps.items() if one is not None}
    return Learned({}, tensors)
