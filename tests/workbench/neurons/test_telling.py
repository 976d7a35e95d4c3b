"""Telling units: counted by hand on a corpus of two things in three forms."""

from __future__ import annotations

import numpy as np

from workbench.neurons.activations import Survey
from workbench.neurons.corpus import FORMS, CorpusItem
from workbench.neurons.telling import telling_units

ITEMS = tuple(CorpusItem(f"{form}:{name}", form, name) for form in FORMS for name in ("cat", "dog", "pig"))
UNITS = (  # a row a unit: photos, drawings and words of cat, dog, pig
    (0, 5, 0, 0, 5, 0, 0, 5, 0),  # a dog in all forms
    (9, 0, 0, 0, 0, 9, 9, 0, 0),  # a cat, drawn as a pig
    (0, 4, 1, 0, 4, 1, 0, 4, 1),  # a dog again, less clearly
    (9, 0, 0, 0, 9, 0, 0, 0, 9),  # another thing in each form
)


def test_units_whose_forms_agree_come_first_and_each_concept_once() -> None:
    values = np.array(UNITS, np.float32).T
    survey = Survey(ITEMS, "last", values, np.zeros((len(ITEMS), 2), np.float32), "fingerprint")
    units = telling_units(survey, 4)
    assert [(one.unit, one.concept, one.agree) for one in units[:2]] == [(0, "dog", 3), (1, "cat", 2)]
    assert [image.item.key for image in units[1].strongest] == ["photo:cat", "drawing:pig", "word:cat"]
    assert units[0].height == np.float32(2**0.5)  # one of three stands out: (5 - 5/3) / (5 * sqrt(2) / 3)
    assert [one.unit for one in units].count(2) == 0
    assert len(telling_units(survey, 1)) == 1
