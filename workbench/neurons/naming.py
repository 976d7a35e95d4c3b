"""Names for units, with evidence: several methods, each beside what it says of a shuffled unit.

Any method returns a word for noise. A shuffled unit has the same activations on other images of the same form, and the
same direction with its numbers in another order; a name counts where its score is above those of 20 shuffled units.

Sources:
    Dissection by soft WPMI: Oikarinen and Weng 2023, arXiv:2204.10965, section 3.
    A unit that responds to photo, drawing and word alike: Goh et al. 2021, doi:10.23915/distill.00030.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.neurons.corpus import FORMS
from workbench.neurons.vocabulary import WordTable

if TYPE_CHECKING:
    from workbench.neurons.activations import Survey

SHUFFLES = 20  # shuffled units that a score is compared with
FEWEST = 50  # images of a form, from which on it is evidence
TOP = 100  # images that dissection looks at
SHARPNESS = 10.0  # of the cosines in dissection
FIRST, LAST = 0.998, 0.97  # how surely the strongest and the last of those images belong to the unit
TITLES = {  # kind of evidence -> what it is, for a reader
    "direction": "where the unit moves the embedding",
    "word": "the written word",
    "drawing": "drawings",
    "photo": "photos",
    "dissection": "the strongest images, by the model's own cosines",
}


@dataclass(frozen=True)
class Name:
    """A word for a unit."""

    name: str
    score: float  # all evidence together; see `scores`
    shuffled: float  # what the name of the same rank gets for a shuffled unit, on average
    limit: float  # the highest of those: 20 shuffles, so one noise unit in 21 has a first name above it
    evidence: Mapping[str, float] = field(default_factory=dict)  # kind -> standard deviations above other words

    @property
    def above_chance(self) -> bool:
        """Whether the evidence is stronger than for any of the shuffled units."""
        return self.score > self.limit


def evidence(
    survey: Survey, lexicon: WordTable, units: Sequence[int], *, directions: NDArray[np.float32] | None
) -> dict[str, NDArray[np.float32]]:
    """Return, for each kind of evidence, how far each word stands out for each unit.

    Args:
        survey: n images.
        lexicon: k words.
        units: u units.
        directions: (dim, u) where each unit moves the embedding; None for layers below the last.

    Returns:
        kind -> (k, u) standard deviations above the mean over words; 0 for a word that no image of a form shows.
    """
    values = survey.values[:, list(units)]
    kinds = _by_form(survey, values, lexicon.words)
    if directions is not None:
        kinds["direction"] = _standard(lexicon.centred @ directions)
    kinds["dissection"] = _standard(_soft_wpmi(values, survey.embeddings @ lexicon.rows.T))
    return kinds


def scores(kinds: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Add up evidence with diminishing returns: the sum of log(1 + z), so that several kinds beat one strong one."""
    parts: list[NDArray[np.float32]] = [np.log1p(table.clip(min=0)) for table in kinds.values()]
    total: NDArray[np.float32] = np.sum(parts, axis=0)
    return total


def name_units(
    survey: Survey,
    lexicon: WordTable,
    units: Sequence[int],
    *,
    directions: NDArray[np.float32] | None = None,
    count: int = 5,
    seed: int = 0,
) -> list[list[Name]]:
    """Name units by all evidence together; the strongest name first, each beside the score of a shuffled unit.

    Args:
        survey: images with the units' activations.
        lexicon: the words to choose from.
        units: numbers of units.
        directions: (dim, len(units)), in the last layer.
        count: names a unit.
        seed: of the shuffles.
    """
    kinds = evidence(survey, lexicon, units, directions=directions)
    total = scores(kinds)
    chance = _chance(survey, lexicon, units, directions=directions, count=count, seed=seed)  # (shuffles, count, u)
    named = []
    for column in range(len(units)):
        order = np.argsort(-total[:, column], kind="stable")[:count]
        named.append(
            [
                Name(
                    lexicon.words[word],
                    float(total[word, column]),
                    float(chance[:, rank, column].mean()),
                    float(chance[:, rank, column].max()),
                    {kind: float(table[word, column]) for kind, table in kinds.items()},
                )
                for rank, word in enumerate(order)
            ]
        )
    return named


def _chance(
    survey: Survey,
    lexicon: WordTable,
    units: Sequence[int],
    *,
    directions: NDArray[np.float32] | None,
    count: int,
    seed: int,
) -> NDArray[np.float32]:
    """(shuffles, count, u): the best scores of shuffled units."""
    generator = np.random.default_rng(seed)
    best = []
    for _ in range(SHUFFLES):
        total = scores(
            evidence(
                shuffled(survey, generator), lexicon, units,
                directions=None if directions is None else generator.permutation(directions),
            )
        )  # fmt: skip
        best.append(-np.sort(-total, axis=0)[:count])
    return np.asarray(best, np.float32)


def shuffled(survey: Survey, generator: np.random.Generator) -> Survey:
    """Return a survey whose activations are those of other images of the same form."""
    forms = np.array([item.form for item in survey.items])
    order = np.arange(len(forms))
    for form in np.unique(forms):
        places = np.flatnonzero(forms == form)
        order[places] = generator.permutation(places)
    return replace(survey, values=survey.values[order])


def _by_form(survey: Survey, values: NDArray[np.float32], words: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """For photos, drawings and written words: how far a word's own images stand above others of the same form."""
    place = {word: number for number, word in enumerate(words)}
    tables: dict[str, NDArray[np.float32]] = {}
    for form in FORMS:
        own = [n for n, item in enumerate(survey.items) if item.form == form]
        shown = np.array([place.get(survey.items[n].concept, -1) for n in own])
        if len(own) < FEWEST or (shown >= 0).sum() < 2:
            continue
        heights = _standard(values[own])
        table, counts = np.zeros((len(words), values.shape[1]), np.float32), np.zeros(len(words))
        np.add.at(table, shown[shown >= 0], heights[shown >= 0])
        np.add.at(counts, shown[shown >= 0], 1)
        tables[form] = table / counts.clip(min=1)[:, None]
    return tables


def _soft_wpmi(values: NDArray[np.float32], cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, u) activations and (n, k) cosines -> (k, u): how much likelier a unit's strongest images make a word."""
    logits = SHARPNESS * cosines
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)  # (n, k)
    top = min(TOP, len(values))
    belongs = np.linspace(FIRST, LAST, top, dtype=np.float32)[:, None]
    sums = []
    for column in values.T:
        strongest = np.argsort(-column, kind="stable")[:top]
        sums.append(np.log1p(belongs * (likely[strongest] - 1)).sum(axis=0))
    plain = np.log1p(float(belongs.mean()) * (likely - 1)).mean(axis=0) * top  # of any images: log p(word)
    table: NDArray[np.float32] = (np.stack(sums) - plain).T
    return table


def _standard(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each column in standard deviations from its mean; 0 where it is constant."""
    spread = table.std(axis=0)
    standard: NDArray[np.float32] = (table - table.mean(axis=0)) / np.where(spread > 1e-7, spread, np.inf)
    return standard.astype(np.float32)
