"""Random numbers that belong to one picture and one purpose, whatever is drawn before or beside them.

Knows no clock and no global state.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def generator(seed: int, *parts: str | int) -> np.random.Generator:
    """Return the generator of a seed and a purpose, such as (seed, sample_id, "fog", 3).

    The same on every machine and in every process; different parts give unrelated streams.
    """
    import numpy as np

    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in (seed, *parts))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))
