"""How pictures and texts are divided into chunks: fixed, in key order, and named by content, whatever engine computes.

Pictures as they are follow the order of the whole data set, so that all audits over it share their chunks; changed
pictures follow the plan, form by form. Knows no model beyond its fingerprint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from audits.contracts import Item
from audits.running.codes import combined

if TYPE_CHECKING:
    from audits.datasets.dataset import Dataset

SIZE = 64  # pictures of a chunk
TEXTS = 256  # texts of a chunk
PASS = 32  # pictures that go through the model at once
T = TypeVar("T")

FORMAT = "1"  # rises when chunks are made in another way


@dataclass(frozen=True)
class Chunk:
    """Pictures, each in one form, that are embedded and kept together."""

    key: str  # hash of all that the numbers depend on
    items: tuple[Item, ...]
    paths: tuple[str, ...]  # of the files, one an item

    @property
    def changed(self) -> bool:
        """Whether these are changed forms."""
        return bool(self.items[0].recipe)


@dataclass(frozen=True)
class TextChunk:
    """Texts that are embedded and kept together."""

    key: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Origin:
    """What all vectors of one run have in common."""

    fingerprint: str  # of weights, preprocessing and dtype
    dtype: str
    device: str  # kind: cpu, cuda, mps


def picture_chunks(origin: Origin, dataset: Dataset, items: Sequence[Item], *, change: str) -> list[Chunk]:
    """Return the chunks that hold all of a plan's items.

    Args:
        origin: of the vectors.
        dataset: where the pictures are.
        items: the plan.
        change: hash of what makes changed forms; see `change_code`.
    """
    table = dataset.table
    known = {
        one: (path, sha256)
        for one, path, sha256 in zip(table["sample_id"], table["path"], table["sha256"], strict=True)
    }
    plain = {item.sample_id for item in items if not item.recipe}
    forms: dict[str, list[Item]] = {}
    for item in items:
        if item.recipe:
            forms.setdefault(item.variant, []).append(item)
    whole = [Item(one) for one in known]
    parts = [part for part in _cut(whole, SIZE) if any(item.sample_id in plain for item in part)] if plain else []
    for variant in sorted(forms):
        parts += _cut(sorted(forms[variant], key=lambda item: (item.sample_id, item.recipe)), SIZE)
    return [_chunk(origin, part, known, change if part[0].recipe else "") for part in parts]


def text_chunks(origin: Origin, texts: Sequence[str]) -> list[TextChunk]:
    """Return the chunks of distinct texts, in the order of the texts themselves."""
    parts = _cut(sorted(set(texts)), TEXTS)
    return [TextChunk(combined(FORMAT, _origin(origin), "texts", *part), tuple(part)) for part in parts]


def _chunk(origin: Origin, part: Sequence[Item], known: Mapping[str, tuple[str, str]], change: str) -> Chunk:
    content = [f"{known[item.sample_id][1]} {item.recipe}" for item in part]
    key = combined(FORMAT, _origin(origin), "pictures", change, *content)
    return Chunk(key, tuple(part), tuple(known[item.sample_id][0] for item in part))


def _origin(origin: Origin) -> str:
    return f"{origin.fingerprint} {origin.dtype} {origin.device}"


def _cut(rows: Sequence[T], size: int) -> list[Sequence[T]]:
    return [rows[at : at + size] for at in range(0, len(rows), size)]
