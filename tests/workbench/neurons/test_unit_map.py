"""A map of planted units: names, forms and densities that are known, and places that follow what places them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.workbench.neurons.planted_units import (
    CONCEPTS,
    CONSTANT,
    NEGATIVE,
    NOISE,
    UNITS,
    WORD_ONLY,
    pictures,
    planted,
)
from workbench.errors import UnknownName, Unsupported
from workbench.neurons.activations import Survey, join, survey
from workbench.neurons.atlas import Atlas, atlas_of
from workbench.neurons.unit_map import NONE, SEVERAL, preferred_forms, unit_map
from workbench.neurons.vocabulary import WordTable


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    model = planted()
    items = pictures(tmp_path_factory.mktemp("images"), each=2)
    seen = join([step for step in survey(model, items, "last") if isinstance(step, Survey)])
    words = (*CONCEPTS, *(f"other{number}" for number in range(40)))
    rows = model.embed_texts([f"a photo of a {word}." for word in words]).numpy()
    return atlas_of(model, seen, WordTable(words, rows))


def test_planted_units_are_named_and_noise_is_not(atlas: Atlas) -> None:
    made = unit_map(atlas)
    assert made.positions.shape == (UNITS, 2)
    assert made.scores.shape == made.density.shape == (UNITS,)
    assert len(made.names) == len(made.forms) == len(made.densities) == UNITS
    assert made.names[: len(CONCEPTS)] == CONCEPTS
    assert made.names[NOISE] == made.names[CONSTANT] == ""
    assert all(made.scores[: len(CONCEPTS)] > made.limit)
    images = len(atlas.survey.items)
    assert made.density[0] == pytest.approx(6 / images)  # two images in each of three forms
    assert made.density[CONSTANT] == 1.0
    assert made.density[NEGATIVE] == 0.0
    assert made.densities[0] == "active on under 5 %"
    assert made.densities[CONSTANT] == "80 % and more"


def test_a_form_counts_where_it_is_more_frequent_than_in_the_corpus(atlas: Atlas) -> None:
    values = np.zeros_like(atlas.survey.values)
    forms = np.array([item.form for item in atlas.survey.items])
    values[forms == "word", 0] = 1
    values[:, 1] = np.random.default_rng(0).normal(size=len(forms))
    changed = Atlas(
        Survey(atlas.survey.items, "planted", values, atlas.survey.embeddings, ""), atlas.lexicon, "x", None
    )
    result = preferred_forms(changed)
    assert result[0] == "word"
    assert result[1] in (NONE, SEVERAL, "photo", "drawing", "word")
    balanced = values.copy()
    strongest = [int(np.flatnonzero(forms == form)[n]) for form in ("photo", "drawing", "word") for n in range(4)]
    balanced[strongest, 2] = 5  # as many of each form: none more often than the corpus has it
    again = Atlas(
        Survey(atlas.survey.items, "planted", balanced, atlas.survey.embeddings, ""), atlas.lexicon, "x", None
    )
    assert preferred_forms(again)[2] == NONE


def test_units_of_one_direction_lie_together(atlas: Atlas) -> None:
    made = unit_map(atlas, by="direction")
    same = np.linalg.norm(made.positions[0] - made.positions[WORD_ONLY])  # both move towards "cat"
    assert same < 1e-4
    by_use = unit_map(atlas, by="activations")
    assert np.linalg.norm(by_use.positions[0] - by_use.positions[WORD_ONLY]) > 1e-3
    assert unit_map(atlas, by="words").positions.shape == (len(made.names), 2)
    assert made.explained is not None
    assert 0 < made.explained <= 1


def test_what_cannot_be_mapped_is_refused(atlas: Atlas) -> None:
    with pytest.raises(UnknownName, match="direction"):
        unit_map(atlas, by="colour")
    below = Atlas(atlas.survey, atlas.lexicon, "x", None)
    with pytest.raises(Unsupported, match="Below the last layer"):
        unit_map(below)
    assert unit_map(below, by="words").positions.shape[1] == 2
