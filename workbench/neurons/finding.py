"""From a concept, or letters, to units, and from an answer to the units that made it."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadInput
from workbench.neurons.atlas import Atlas
from workbench.neurons.corpus import FORMS
from workbench.neurons.decomposition import Decomposition
from workbench.neurons.naming import UnitEvidence, scores
from workbench.neurons.vocabulary import WordTable

LONGEST = 20  # letters and stars of a pattern


@dataclass(frozen=True)
class FoundUnit:
    """A unit that responds to a concept."""

    unit: int
    score: float  # all evidence together, as in `naming.scores`; for a pattern of letters, the words' AUROC
    direction: float | None  # standard deviations above other words, of where the unit moves the embedding
    selectivity: dict[str, float]  # form -> AUROC of the concept's images against others of the form


@dataclass(frozen=True)
class Speaker:
    """A unit, or a part of a ViT, and what it adds to answer A beyond answer B."""

    name: str
    unit: int
    adds: float  # to the difference of the cosines
    to_a: float  # to each cosine, the part common to all labels taken away
    to_b: float


@dataclass(frozen=True)
class Speakers:
    """Who made an answer."""

    difference: float  # cosine with A minus cosine with B
    common: float  # part of the cosine with A that all labels share
    constant: float  # what biases add to the difference
    speakers: tuple[Speaker, ...]  # largest first, both signs
    others: float  # what all the rest adds
    error: float  # of the sum


def find_units(atlas: Atlas, word: str, row: NDArray[np.float32], *, count: int = 20) -> list[FoundUnit]:
    """Rank the units of a layer by how strongly they respond to a concept.

    Args:
        atlas: of the layer.
        word: the concept; other words are compared by direction, and by the images' own cosines.
        row: (dim,) its embedding.
        count: units returned.
    """
    word = word.strip().lower()
    table = atlas.lexicon
    if word in table.words:
        evidence, place = atlas.evidence, table.words.index(word)
    else:
        longer = WordTable((*table.words, word), np.vstack([table.rows, row[None]]))
        evidence, place = UnitEvidence(atlas.survey, longer), len(table.words)
    kinds = evidence.kinds(atlas.survey.values, atlas.directions, dissection=False)
    own = {kind: rows[place : place + 1] for kind, rows in kinds.items()}
    if word not in table.words:  # no image shows it by name: how activations go with the images' cosines
        agreement = _agreement(atlas, row)
        own["agreement"] = (agreement / max(float(agreement.std()), 1e-9))[None]
    total = scores(own)[0]
    areas = selectivity(atlas, word)
    order = np.argsort(-total, kind="stable")[:count]
    direction = kinds.get("direction")
    return [
        FoundUnit(
            int(unit),
            float(total[unit]),
            None if direction is None else float(direction[place, unit]),
            {form: float(area[unit]) for form, area in areas.items()},
        )
        for unit in order
    ]


def find_readers(atlas: Atlas, pattern: str, *, count: int = 20) -> list[FoundUnit]:
    """Rank the units of a layer by how far they prefer written words with a pattern of letters.

    Args:
        atlas: of the layer; its corpus holds written words.
        pattern: letters and stars, such as `*k` or `br*`; a star stands for any letters.
        count: units returned.

    Raises:
        BadInput: another character, a longer pattern; fewer than two written words have it, or all have it.
    """
    pattern = pattern.strip().lower()
    if len(pattern) > LONGEST or not all(one.isalpha() or one == "*" for one in pattern):
        raise BadInput(f"A pattern is at most {LONGEST} letters and stars, such as *k or br*; got {pattern[:40]!r}.")
    written = np.array([item.form == "word" for item in atlas.survey.items])
    shows = np.array([fnmatchcase(item.concept, pattern) for item in atlas.survey.items])[written]
    if not 2 <= shows.sum() < len(shows):
        raise BadInput(f"Some written words must have a pattern; of {len(shows)}, {shows.sum()} have {pattern!r}.")
    area = _area(atlas.survey.values[written], shows)
    order = np.argsort(-area, kind="stable")[:count]
    return [FoundUnit(int(unit), float(area[unit]), None, {"word": float(area[unit])}) for unit in order]


def selectivity(atlas: Atlas, concept: str) -> dict[str, NDArray[np.float64]]:
    """For each form that shows the concept: each unit's AUROC of its images against all others of that form."""
    areas: dict[str, NDArray[np.float64]] = {}
    for form in FORMS:
        own = np.array([item.form == form for item in atlas.survey.items])
        shows = np.array([item.concept == concept for item in atlas.survey.items])[own]
        if shows.any() and not shows.all():
            areas[form] = _area(atlas.survey.values[own], shows)
    return areas


def _area(values: NDArray[np.float32], shows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n, units) activations, (n,) -> (units,) AUROC of the images that show it against the others."""
    from scipy.stats import rankdata

    positives, others = int(shows.sum()), int((~shows).sum())
    ranks: NDArray[np.float64] = rankdata(values, axis=0)[shows].sum(axis=0)
    return (ranks - positives * (positives + 1) / 2) / (positives * others)


def speakers(parts: Decomposition, *, count: int = 12) -> Speakers:
    """Say which units spoke for A and against B; the texts of the decomposition are A, B and the mean of all labels.

    Args:
        parts: of one image with three texts: A, B, and what all labels have in common (any length).
        count: units named.
    """
    added = parts.by_unit()  # (3, units)
    gain = added[0] - added[1]
    order = np.argsort(-np.abs(gain), kind="stable")[:count]
    order = order[np.argsort(-gain[order], kind="stable")]
    named = tuple(
        Speaker(
            parts.names[unit] if parts.names else f"unit {unit}",
            int(unit),
            float(gain[unit]),
            float(added[0, unit] - added[2, unit]),
            float(added[1, unit] - added[2, unit]),
        )
        for unit in order
    )
    return Speakers(
        float(parts.cosines[0] - parts.cosines[1]),
        float(parts.cosines[2]),
        float(parts.constant[0] - parts.constant[1]),
        named,
        float(gain.sum() - sum(one.adds for one in named)),
        parts.error,
    )


def _agreement(atlas: Atlas, row: NDArray[np.float32]) -> NDArray[np.float32]:
    """(units,): correlation of activations with the images' cosines with a text, where nothing else is known."""
    cosines = atlas.survey.embeddings @ row
    values = atlas.survey.values - atlas.survey.values.mean(axis=0)
    spread = np.linalg.norm(values, axis=0).clip(1e-9) * max(float(np.linalg.norm(cosines - cosines.mean())), 1e-9)
    agreement: NDArray[np.float32] = (values.T @ (cosines - cosines.mean())) / spread
    return agreement
