"""Who is compared with whom: a gallery of subjects, and the probes that are held against it.

Knows no model. Nothing here keeps a name: subjects and pictures are numbered in a seeded order before anything is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from audits.settings import read_settings
from workbench.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.datasets.dataset import Dataset
    from audits.protocol import Protocol as Rules

GALLERY = "gallery"  # the value of `split` of a reference picture
LOWEST, HIGHEST = -1.0, 1.0  # of a cosine


class Settings(BaseModel):
    """Settings of `surveillance/identity`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["reference", "name"] = "reference"  # compare with a gallery picture, or with a prompt of the label
    gallery_sizes: tuple[int, ...] = (10, 50, 100, 1000, 2000)
    draws: int = Field(200, ge=20, le=5000)  # of galleries of each size, for their spread
    false_match: float = Field(0.01, gt=0, lt=1)  # share of strangers let through, which sets the threshold
    step: float = Field(0.005, gt=0, le=0.1)  # of the threshold's sweep, in cosine
    groups: tuple[str, ...] = ()  # columns; empty: every attribute of the data set
    min_n: int = Field(30, ge=1)  # probes; with fewer nothing is measured

    @field_validator("gallery_sizes")
    @classmethod
    def _sizes(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        if not sizes or min(sizes) < 2:
            raise ValueError("a gallery has at least two subjects")
        return tuple(sorted(set(sizes)))


@dataclass(frozen=True)
class Split:
    """Rows of the data set's table: which are references, which are probes, and whose they are."""

    subjects: tuple[str, ...]  # sorted labels
    gallery: dict[str, list[int]]  # subject -> rows; empty for names
    probes: list[int]


def settings(rules: Rules) -> Settings:
    """Return the checked settings of a protocol.

    Raises:
        BadInput: a setting is unknown or cannot be used.
    """
    return read_settings(Settings, rules)


def split(dataset: Dataset, rules: Rules) -> Split:
    """Divide the pictures; the gallery is those of the split “gallery”, and the first of each subject without any.

    Raises:
        BadInput: a picture shows no labelled subject, or there are no probes.
    """
    table = dataset.table
    labels = [str(label) for label in table["label"]]
    if "" in labels:
        raise BadInput("Every picture of an identity audit has a label, an id of its subject; one has none.")
    subjects = tuple(sorted(set(labels)))
    if settings(rules).mode == "name":
        return Split(subjects, {}, list(range(len(labels))))
    gallery: dict[str, list[int]] = {}
    for place, part in enumerate(table["split"]):
        if part == GALLERY:
            gallery.setdefault(labels[place], []).append(place)
    for place, label in enumerate(labels):
        gallery.setdefault(label, [place])
    reference = {place for places in gallery.values() for place in places}
    probes = [place for place in range(len(labels)) if place not in reference]
    if not probes or len(gallery) < 2:
        raise BadInput(
            f"At least two subjects with a second picture each are compared; got {len(gallery)} subject(s) "
            f"and {len(probes)} probe(s)."
        )
    return Split(tuple(sorted(gallery)), gallery, probes)


def numbers(n: int, seed: int, letter: str) -> list[str]:
    """Return n ids in a seeded order, such as s0007: without the table nobody can turn them back."""
    order = np.random.default_rng([seed, ord(letter)]).permutation(n)
    return [f"{letter}{place:05d}" for place in order]


def sweep(step: float) -> NDArray[np.float64]:
    """Return the thresholds, from -1 to one step above 1, which nobody reaches."""
    return np.round(np.arange(LOWEST, HIGHEST + 1.5 * step, step), 6)
