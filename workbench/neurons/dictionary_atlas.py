"""A sparse dictionary as an atlas: its features get the pages, the search, the map and the switches that units have."""

from __future__ import annotations

import numpy as np

from workbench.neurons.activations import Survey
from workbench.neurons.atlas import Atlas
from workbench.neurons.dictionary import SparseDictionary

LAYER = "dictionary"  # the name of its layer; no tower has one of that name


def dictionary_atlas(dictionary: SparseDictionary, atlas: Atlas) -> Atlas:
    """Return what every feature does on the corpus of an atlas.

    A feature's direction is its row of the decoder, and answers are those of the rebuilt embeddings.

    Args:
        dictionary: learned from embeddings of the same model.
        atlas: any of the model's.
    """
    codes = dictionary.encode(atlas.survey.embeddings)
    seen = Survey(atlas.survey.items, LAYER, codes, atlas.survey.embeddings, atlas.survey.fingerprint)
    directions = np.ascontiguousarray(dictionary.decoder.T)
    return Atlas(seen, atlas.lexicon, atlas.corpus, directions, linear=True, offset=dictionary.mean)
