"""The words that units are named with: common things, colours, feelings, scenes, and the names of ImageNet's classes.

`words.txt` holds our own list of common words, an empty line, and ImageNet's class names (from WordNet, Princeton).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.engine import Session
    from workbench.loading.torch_backend import TorchBackend

PROMPT = "a photo of a {}."  # what a word is embedded as


@dataclass(frozen=True, eq=False)
class WordTable:
    """Words with their embeddings."""

    words: tuple[str, ...]  # k
    rows: NDArray[np.float32]  # (k, dim) unit rows

    @property
    def centred(self) -> NDArray[np.float32]:
        """(k, dim) unit rows, after what all words have in common is taken away."""
        rows = self.rows - self.rows.mean(axis=0)
        unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-9)
        return unit


@functools.cache
def vocabulary() -> tuple[str, ...]:
    """Return all words, each once, common ones first."""
    common, kinds = _parts()
    return tuple(dict.fromkeys((*common, *kinds)))


def common_words() -> tuple[str, ...]:
    """Return the words of everyday."""
    return _parts()[0]


def embed_words(session: Session | TorchBackend, words: Sequence[str]) -> Tensor:
    """Embed words by the prompt; (k, dim) float32 on the CPU, unit rows.

    Raises:
        BadInput: no word, or a blank one.
    """
    return session.embed_texts([PROMPT.format(word) for word in words])


@functools.cache
def _parts() -> tuple[tuple[str, ...], tuple[str, ...]]:
    text = Path(__file__).with_name("words.txt").read_text(encoding="utf-8")
    common, kinds = (
        tuple(word.strip() for line in part.splitlines() for word in line.split(",") if word.strip())
        for part in text.split("\n\n")
    )
    return common, kinds
