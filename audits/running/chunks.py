"""Divide images and texts into fixed chunks, in key order and named by content, whatever engine computes them.

Images as they are follow the order of the whole data set, so that all audits of it share their chunks; changed images
follow the plan, form by form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from audits.contracts import Item, ModelFacts
from audits.datasets.dataset import Dataset
from audits.running.codes import combined

SIZE = 64  # images of a chunk
TEXTS = 256  # texts of a chunk
FORMAT = "1"  # rises when chunks are made in another way

T = TypeVar("T")


@dataclass(frozen=True)
class Chunk:
    """Images, each in one form, that are embedded and stored together."""

    key: str  # hash of everything that the numbers depend on
    items: tuple[Item, ...]

    @property
    def changed(self) -> bool:
        """Whether these are changed forms."""
        return bool(self.items[0].recipe)


@dataclass(frozen=True)
class TextChunk:
    """Texts that are embedded and stored together."""

    key: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Origin:
    """What all embeddings of one run have in common."""

    fingerprint: str  # of weights, preprocessing and dtype
    dtype: str
    device: str  # kind: cpu, cuda, mps

    def __str__(self) -> str:
        return f"{self.fingerprint} {self.dtype} {self.device}"

    @classmethod
    def of(cls, facts: ModelFacts) -> Origin:
        """Return the origin of what a looked-at model embeds."""
        return cls(facts.fingerprint, facts.dtype, facts.device.split(":")[0])


def image_chunks(origin: Origin, dataset: Dataset, items: Sequence[Item], *, change: str) -> list[Chunk]:
    """Return the chunks that contain all items of a plan.

    `change` is the hash of what makes changed forms; see `change_code`.
    """
    hashes = dict(zip(dataset.table["sample_id"], dataset.table["sha256"], strict=True))
    plain = {item.sample_id for item in items if not item.recipe}
    forms: dict[str, list[Item]] = {}
    for item in items:
        if item.recipe:
            forms.setdefault(item.variant, []).append(item)
    whole = [Item(sample_id) for sample_id in hashes]
    parts = [part for part in _cut(whole, SIZE) if any(item.sample_id in plain for item in part)] if plain else []
    for variant in sorted(forms):
        parts += _cut(sorted(forms[variant], key=lambda item: (item.sample_id, item.recipe)), SIZE)
    chunks = []
    for part in parts:
        content = [f"{hashes[item.sample_id]} {item.recipe}" for item in part]
        key = combined(FORMAT, str(origin), "pictures", change if part[0].recipe else "", *content)
        chunks.append(Chunk(key, tuple(part)))
    return chunks


def text_chunks(origin: Origin, texts: Sequence[str]) -> list[TextChunk]:
    """Return the chunks of distinct texts, in the order of the texts themselves."""
    parts = _cut(sorted(set(texts)), TEXTS)
    return [TextChunk(combined(FORMAT, str(origin), "texts", *part), tuple(part)) for part in parts]


def _cut(rows: Sequence[T], size: int) -> list[Sequence[T]]:
    return [rows[at : at + size] for at in range(0, len(rows), size)]
