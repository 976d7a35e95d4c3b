"""The units that tell most at a glance: those whose strongest photo, drawing and written word show the same thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.neurons.activations import Survey
from workbench.neurons.corpus import FORMS, CorpusItem
from workbench.neurons.unit import GalleryImage


@dataclass(frozen=True)
class TellingUnit:
    """A unit, and its strongest image of each form."""

    unit: int
    concept: str  # what most of them show
    agree: int  # how many of them show it
    height: float  # how far the weakest of those stands above its form's images, in standard deviations
    strongest: tuple[GalleryImage, ...]  # a photo, a drawing, a written word, where the corpus has that form


def telling_units(survey: Survey, count: int) -> list[TellingUnit]:
    """Return the units whose forms agree most, those that stand out most first; of one concept the best unit alone.

    Args:
        survey: what all units do on a corpus with several forms.
        count: of units, at most.
    """
    forms = [own for form in FORMS if len(own := _places(survey.items, form))]
    heights = [_heights(survey.values[own]) for own in forms]
    best: dict[str, TellingUnit] = {}
    for one in sorted(
        (_unit(survey, unit, forms, heights) for unit in range(survey.values.shape[1])),
        key=lambda one: (-one.agree, -one.height),
    ):
        best.setdefault(one.concept, one)
    return list(best.values())[:count]


def _places(items: Sequence[CorpusItem], form: str) -> NDArray[np.intp]:
    return np.array([number for number, item in enumerate(items) if item.form == form], np.intp)


def _heights(values: NDArray[np.float32]) -> NDArray[np.float32]:
    spread = values.std(axis=0)
    rows: NDArray[np.float32] = (values - values.mean(axis=0)) / np.where(spread > 1e-7, spread, np.inf)
    return rows


def _unit(
    survey: Survey, unit: int, forms: Sequence[NDArray[np.intp]], heights: Sequence[NDArray[np.float32]]
) -> TellingUnit:
    strongest = [int(rows[:, unit].argmax()) for rows in heights]
    items = [survey.items[own[at]] for own, at in zip(forms, strongest, strict=True)]
    concept, agree = Counter(item.concept for item in items).most_common(1)[0]
    high = [float(rows[at, unit]) for rows, at in zip(heights, strongest, strict=True)]
    shown = [
        GalleryImage(item, float(survey.values[own[at], unit]))
        for item, own, at in zip(items, forms, strongest, strict=True)
    ]
    lowest = min(height for item, height in zip(items, high, strict=True) if item.concept == concept)
    return TellingUnit(unit, concept, agree, lowest, tuple(shown))
