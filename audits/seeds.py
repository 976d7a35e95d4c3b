"""Random generators that belong to one image and one purpose, whatever else is drawn before or beside them."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, *parts: str | int) -> np.random.Generator:
    """Return the generator of a seed and a purpose, such as (seed, sample_id, "fog", 3).

    The same on every machine and in every process; different parts give unrelated streams.
    """
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in (seed, *parts))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))


def image_generator(seed: int, sample_id: str, use: str) -> np.random.Generator:
    """Return the generator of one image and use; it does not depend on which other images there are."""
    digest = hashlib.sha256(f"{use}\x1f{sample_id}".encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])
