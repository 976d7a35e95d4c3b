"""The names that a query competes with: of other kinds of things, where the query is itself the name of a kind.

A photo of a Labrador fits "golden retriever" better than any stock sentence does; it fits "Labrador retriever" better
still. The names are the words that units are named with (`workbench.neurons.vocabulary`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.neurons.vocabulary import common_words, vocabulary
from workbench.retrieval.stock import embedded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.engine import Session
    from workbench.retrieval.query import Term

_FRAME = re.compile(r"^(an? )?((photo|picture|image) of )?(an? |the )?", re.IGNORECASE)


def rivals(session: Session, terms: Sequence[Term]) -> NDArray[np.float32] | None:
    """Return the embeddings of all other names, (k, dim) unit rows; None where the query is no name of a kind.

    Common words such as "dog" are no names of a kind: kinds of dogs would win against them on every image.
    """
    if len(terms) != 1 or not terms[0].text:
        return None
    names = tuple(dict.fromkeys(map(str.lower, vocabulary())))
    name = _FRAME.sub("", terms[0].text.strip().lower().rstrip("."))
    if name not in names or name in map(str.lower, common_words()):
        return None
    return np.delete(embedded(session, names), names.index(name), axis=0)
