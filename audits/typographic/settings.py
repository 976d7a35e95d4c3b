"""What the protocol of a typographic audit may set, and which overlays follow from it.

Knows no model.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from audits.contracts import CLEAN, Item
from audits.settings import read_settings
from audits.typographic.ink import COLOURS, POSITIONS, Ink, Overlay
from workbench.errors import BadInput

if TYPE_CHECKING:
    from audits.datasets.dataset import Dataset
    from audits.protocol import Protocol as Rules

ALL, TWO_WAY = "all labels", "thing or word"  # the two decisions
_CONSONANTS = "bcdfghjklmnpqrstvwxz"


class Settings(BaseModel):
    """Settings of `typographic/overlay`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ink: Ink = "letters"  # "marks": the strip of cells that the fake model reads, of one size and place
    words: tuple[str, ...] = ()  # that are written; empty: the labels of the data set
    draws: int = Field(1, ge=1, le=20)  # different words for each picture, in the base condition
    sizes: tuple[float, ...] = (0.14,)  # height of the letters as a share of the square's side; the first is the base
    positions: tuple[str, ...] = ("bottom",)
    colours: tuple[str, ...] = ("black on white",)
    design: Literal["one at a time", "full"] = "one at a time"
    controls: tuple[Literal["nonsense", "blank"], ...] = ("nonsense", "blank")
    min_n: int = Field(30, ge=1)  # fewer pictures named rightly when clean: not measured

    @field_validator("sizes")
    @classmethod
    def _sizes(cls, sizes: tuple[float, ...]) -> tuple[float, ...]:
        if not sizes or not all(0.02 <= size <= 0.5 for size in sizes):
            raise ValueError("a size is a share of the square's side, 0.02 to 0.5")
        return sizes

    @field_validator("positions", "colours")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = {*POSITIONS, *COLOURS}
        if not names or any(name not in known for name in names):
            raise ValueError(f"known are: {', '.join(POSITIONS)}; {', '.join(COLOURS)}")
        return names

    @model_validator(mode="after")
    def _one_strip(self) -> Settings:
        if self.ink == "marks" and max(len(self.sizes), len(self.positions), len(self.colours)) > 1:
            raise ValueError("marks have one size, one position and one colour")
        return self


def settings(rules: Rules) -> Settings:
    """Return the checked settings of a protocol.

    Raises:
        BadInput: a setting is unknown or cannot be used.
    """
    return read_settings(Settings, rules)


def labels(dataset: Dataset, rules: Rules) -> tuple[str, ...]:
    """Return what a model chooses from: the protocol's label set, or all things and all words of the data set."""
    if rules.label_sets:
        return next(iter(rules.label_sets.values())).labels
    known = set(dataset.table["label"]) | set(settings(rules).words)
    if "word" in dataset.attributes:
        known |= set(dataset.table["word"])
    return tuple(sorted(known - {""}))


def words(dataset: Dataset, rules: Rules, seed: int) -> dict[str, tuple[str, ...]]:
    """Return the words that are written on each picture: seeded, all different, none its label; sample_id -> words."""
    chosen = settings(rules)
    pool = list(chosen.words or labels(dataset, rules))
    drawn = {}
    for sample_id, label in zip(dataset.table["sample_id"], dataset.table["label"], strict=True):
        others = [word for word in pool if word != label]
        if not others:
            raise BadInput(f"To write a wrong word there must be another than the label; there is only {label!r}.")
        first = others.pop(int(_lot(seed, sample_id, "word").integers(len(others))))
        further = _lot(seed, sample_id, "further words").permutation(len(others))[: chosen.draws - 1]
        drawn[sample_id] = (first, *(others[at] for at in further))
    return drawn


def overlays(chosen: Settings, words: Sequence[str], rng: np.random.Generator) -> list[tuple[str, Overlay]]:
    """Return (variant, overlay) of everything that is written on one picture.

    The first word stands in every condition; each further one in the base condition alone, with controls of its own.
    """
    if chosen.ink == "marks":
        base = Overlay("marks", "word", words[0])
        forms = [("word", base)]
    else:
        axes = (chosen.sizes, chosen.positions, chosen.colours)
        forms = [
            (f"word, {size:g}, {position}, {colour}", Overlay("letters", "word", words[0], size, position, colour))
            for size, position, colour in itertools.product(*axes)
            if chosen.design == "full" or _differs(axes, (size, position, colour)) <= 1
        ]
        base = forms[0][1]
    for number, word in enumerate(words, 1):
        behind = "" if number == 1 else f" {number}"
        forms += [(f"word{behind}", replace(base, text=word))] if behind else []
        nonsense = "".join(_CONSONANTS[int(rng.integers(len(_CONSONANTS)))] for _ in range(max(3, len(word))))
        for kind in chosen.controls:
            forms.append((f"{kind}{behind}", replace(base, kind=kind, text=nonsense if kind == "nonsense" else word)))
    return forms


def items(dataset: Dataset, rules: Rules, seed: int) -> list[Item]:
    """Return every picture, clean and with each overlay; a data set that comes with attacked pictures as it is."""
    if "word" in dataset.attributes:
        return [Item(sample_id) for sample_id in dataset.table["sample_id"]]
    chosen = settings(rules)
    planned = []
    for sample_id, drawn in words(dataset, rules, seed).items():
        planned.append(Item(sample_id))
        planned += [
            Item(sample_id, name, form.recipe)
            for name, form in overlays(chosen, drawn, _lot(seed, sample_id, "nonsense"))
        ]
    return planned


def _lot(seed: int, sample_id: str, use: str) -> np.random.Generator:
    """Return a picture's own generator: what it draws does not depend on which other pictures there are."""
    digest = hashlib.sha256(f"{use}\x1f{sample_id}".encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


def _differs(axes: tuple[tuple[object, ...], ...], point: tuple[object, ...]) -> int:
    return sum(value != axis[0] for axis, value in zip(axes, point, strict=True))


def variant_of(form: str) -> str:
    """Return the kind of overlay that a data set's own column `form` names.

    Raises:
        BadInput: a form that is none of clean, word, synthetic, nonsense and blank.
    """
    known = (CLEAN, "word", "synthetic", "nonsense", "blank")
    if form not in known:
        raise BadInput(f"The column form says one of {', '.join(known)}; got {form[:40]!r}.")
    return form
