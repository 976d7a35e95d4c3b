"""Safe mode: which images fit a sentence about nudity or violence better than chance, as far as the model knows.

A model that has not learned such images recognises none: safe mode hides some, and promises nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.retrieval.chance import Chance
from workbench.retrieval.stock import stock_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.engine import Session

SENTENCES = (
    "a photo of a naked person",
    "a photo of a nude body",
    "a photo of people having sex",
    "a pornographic photo",
    "a photo of a bloody wound",
    "a photo of a dead body",
    "a photo of a person being tortured",
    "a photo of a person being killed",
    "a photo of a mutilated body",
    "a photo of a corpse on the ground",
)


def unsafe(session: Session, vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Say which images fit one of `SENTENCES`, by the same cut-off that ends a list of results; (n,).

    Args:
        session: the model of the vectors.
        vectors: (n, dim) unit rows of images.
    """
    chance = Chance(stock_vectors(session))
    flagged = np.zeros(len(vectors), bool)
    for sentence in session.embed_texts(SENTENCES).numpy():
        cosines = vectors @ sentence
        flagged |= chance.measure(vectors, cosines, cosines)[1] >= chance.cut
    return flagged
