"""Stock sentences: about four hundred things that pictures show, to measure a query or an image against.

The things are the pictographs of Unicode, by their names. No model, data set or index is behind them.
"""

from __future__ import annotations

import functools
import threading
import unicodedata
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.engine import Session

BLOCKS = ((0x1F300, 0x1F5FF), (0x1F600, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F900, 0x1F9FF), (0x1FA70, 0x1FAFF))
TEMPLATE = "a photo of a {}"
EVERY = 3  # of the names; a third tells mean and spread as well, in a third of the time
_NO_THINGS = ("CLOCK FACE", "SQUARED", "SIGN", "SYMBOL", "MODIFIER", "BUTTON", "ARROW", "KEYCAP", "INPUT", "COMPONENT")
MODELS = 8  # of which embeddings stay in memory
_kept: OrderedDict[tuple[str, tuple[str, ...]], NDArray[np.float32]] = OrderedDict()
_lock = threading.Lock()


@functools.cache
def sentences() -> tuple[str, ...]:
    """Return all stock sentences."""
    names = []
    for first, last in BLOCKS:
        for point in range(first, last + 1):
            name = unicodedata.name(chr(point), "")
            if name and not any(word in name for word in _NO_THINGS):
                names.append(name.lower().replace(" face", "").replace("-", " "))
    things = list(dict.fromkeys(names))
    return tuple(TEMPLATE.format(thing) for thing in things[::EVERY])


def stock_vectors(session: Session) -> NDArray[np.float32]:
    """Return the embeddings of the stock sentences, (m, dim) unit rows."""
    return embedded(session, sentences())


def embedded(session: Session, texts: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the embeddings of texts that stay the same, computed once for each model; (m, dim) unit rows."""
    key = session.fingerprint, texts
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    rows: NDArray[np.float32] = session.embed_texts(texts).numpy()  # without the lock: another visitor need not wait
    with _lock:
        _kept[key] = rows
        while len(_kept) > 2 * MODELS:  # stock sentences and names
            _kept.popitem(last=False)
    return rows
