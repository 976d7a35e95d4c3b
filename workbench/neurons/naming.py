"""Names for units, with evidence: several methods, each beside what it says of a shuffled unit.

Any method returns a word for noise. A shuffled unit has the same activations on other images of the same form, and the
same direction with its numbers in another order; a name counts where its score is above those of 20 shuffled units.

Sources:
    Dissection by soft WPMI: Oikarinen and Weng 2023, arXiv:2204.10965, section 3.
    A unit that responds to photo, drawing and word alike: Goh et al. 2021, doi:10.23915/distill.00030.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.neurons.corpus import FORMS
from workbench.neurons.vocabulary import WordTable

if TYPE_CHECKING:
    from workbench.neurons.activations import Survey

SHUFFLES = 20  # shuffled units that a score is compared with
FEWEST = 50  # images of a form, from which on it is evidence
PICTURED = 2.0  # standard deviations, from which on photos or drawings are evidence
DIRECTED = 5.0  # the same for a direction: of 1,649 words the best one of a shuffled direction has 3 to 4
TOP = 100  # images that dissection looks at
SHARPNESS = 10.0  # of the cosines in dissection
FIRST, LAST = 0.998, 0.97  # how surely the strongest and the last of those images belong to the unit


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

    @property
    def beyond_the_word(self) -> bool:
        """Whether photos, drawings or the direction are evidence, not the written word alone; true without words."""
        pictured = max(self.evidence.get(form, 0.0) for form in ("photo", "drawing"))
        directed = self.evidence.get("direction", 0.0)
        return "word" not in self.evidence or pictured >= PICTURED or directed >= DIRECTED

    @property
    def title(self) -> str:
        """The name as it is shown: a written word where nothing but that is evidence."""
        return self.name if self.beyond_the_word else f"the word “{self.name}”"


class UnitEvidence:
    """What a corpus and a vocabulary have to say about units; what all units share is computed once.

    Args:
        survey: n images.
        table: k words.
    """

    def __init__(self, survey: Survey, table: WordTable) -> None:
        self.survey, self.table = survey, table
        self.centred = table.centred
        self._likely, self._plain = _likely(survey.embeddings @ table.rows.T)
        self._forms = _forms(survey, table.words)
        self._places = {form: np.array([item.form == form for item in survey.items]) for form in (*FORMS, "file")}

    def kinds(
        self, values: NDArray[np.float32], directions: NDArray[np.float32] | None, *, dissection: bool = True
    ) -> dict[str, NDArray[np.float32]]:
        """Return, for each kind of evidence, how far each word stands out for each unit.

        Args:
            values: (n, u) activations of u units.
            directions: (dim, u) where each unit moves the embedding; None for layers below the last.
            dissection: include this kind, which takes the longest.

        Returns:
            kind -> (k, u) standard deviations above the mean over words; 0 for a word that no image of a form shows.
        """
        words = len(self.table.words)
        kinds = {form: _by_form(values, *rows, words=words) for form, rows in self._forms.items()}
        if directions is not None:
            kinds["direction"] = _standard(self.centred @ directions)
        if dissection:
            kinds["dissection"] = _standard(_soft_wpmi(values, self._likely, self._plain))
        return kinds

    def shuffled(self, values: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
        """(n, u): the activations of other images of the same form."""
        order = np.arange(len(values))
        for places in self._places.values():
            own = np.flatnonzero(places)
            order[own] = generator.permutation(own)
        return values[order]


def scores(kinds: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Add up evidence with diminishing returns: the sum of log(1 + z), so that several kinds beat one strong one."""
    parts: list[NDArray[np.float32]] = [np.log1p(table.clip(min=0)) for table in kinds.values()]
    total: NDArray[np.float32] = np.sum(parts, axis=0)
    return total


def name_units(
    evidence: UnitEvidence,
    units: Sequence[int],
    *,
    directions: NDArray[np.float32] | None = None,
    count: int = 5,
    seed: int = 0,
) -> list[list[Name]]:
    """Name units by all evidence together; the strongest name first, each beside the score of a shuffled unit.

    Args:
        evidence: of the corpus that the units were seen on.
        units: numbers of units.
        directions: (dim, all units of the layer), in the last layer.
        count: names a unit.
        seed: of the shuffles.
    """
    chosen = list(units)
    values = evidence.survey.values[:, chosen]
    own = None if directions is None else directions[:, chosen]
    kinds = evidence.kinds(values, own)
    total = scores(kinds)
    generator = np.random.default_rng(seed)
    best = []
    for _ in range(SHUFFLES):
        moved = None if own is None else generator.permutation(own)
        best.append(-np.sort(-scores(evidence.kinds(evidence.shuffled(values, generator), moved)), axis=0)[:count])
    chance = np.asarray(best, np.float32)  # (shuffles, count, u)
    named = []
    for column in range(len(chosen)):
        order = np.argsort(-total[:, column], kind="stable")[:count]
        named.append(
            [
                Name(
                    evidence.table.words[word],
                    float(total[word, column]),
                    float(chance[:, rank, column].mean()),
                    float(chance[:, rank, column].max()),
                    {kind: float(table[word, column]) for kind, table in kinds.items()},
                )
                for rank, word in enumerate(order)
            ]
        )
    return named


def _forms(survey: Survey, words: Sequence[str]) -> dict[str, tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """For each form with enough images: their places in the corpus, and the word that each shows, or -1."""
    place = {word: number for number, word in enumerate(words)}
    forms: dict[str, tuple[NDArray[np.intp], NDArray[np.intp]]] = {}
    for form in FORMS:
        own = np.array([n for n, item in enumerate(survey.items) if item.form == form], np.intp)
        shown = np.array([place.get(survey.items[n].concept, -1) for n in own], np.intp)
        if len(own) >= FEWEST and (shown >= 0).sum() >= 2:
            forms[form] = (own, shown)
    return forms


def _by_form(
    values: NDArray[np.float32], own: NDArray[np.intp], shown: NDArray[np.intp], *, words: int
) -> NDArray[np.float32]:
    """(words, u): how far the images of a word stand above others of the same form, in standard deviations."""
    heights = _standard(values[own])
    table, counts = np.zeros((words, values.shape[1]), np.float32), np.zeros(words)
    np.add.at(table, shown[shown >= 0], heights[shown >= 0])
    np.add.at(counts, shown[shown >= 0], 1)
    mean: NDArray[np.float32] = (table / counts.clip(min=1)[:, None]).astype(np.float32)
    return mean


def _likely(cosines: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(n, k) cosines -> (n, k) probability of each word given an image, and (k,) what any images give: log p(word)."""
    logits = SHARPNESS * cosines
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    top = min(TOP, len(cosines))
    plain = np.log1p((FIRST + LAST) / 2 * (likely - 1)).mean(axis=0) * top
    return likely, plain


def _soft_wpmi(
    values: NDArray[np.float32], likely: NDArray[np.float32], plain: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(n, u) activations -> (k, u): how much likelier a unit's strongest images make a word."""
    top = min(TOP, len(values))
    belongs = np.linspace(FIRST, LAST, top, dtype=np.float32)[:, None]
    sums = []
    for column in values.T:
        strongest = np.argsort(-column, kind="stable")[:top]
        sums.append(np.log1p(belongs * (likely[strongest] - 1)).sum(axis=0))
    table: NDArray[np.float32] = (np.stack(sums) - plain).T
    return table


def _standard(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each column in standard deviations from its mean; 0 where it is constant."""
    spread = table.std(axis=0)
    standard: NDArray[np.float32] = (table - table.mean(axis=0)) / np.where(spread > 1e-7, spread, np.inf)
    return standard.astype(np.float32)
