"""All that is known about one unit, as plain data: names, words, galleries, histogram, forms, relatives."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.neurons.atlas import Atlas
from workbench.neurons.corpus import FORMS, CorpusItem
from workbench.neurons.layers import check_unit
from workbench.neurons.naming import Name, name_units
from workbench.neurons.sparse_code import SparseCode, sparse_code
from workbench.neurons.spelling import Spelling, spelling
from workbench.statistics.intervals import Interval, Share, auroc, proportion

BUCKETS = 6  # of equal width, over the whole range of activation
SHOWN = 12  # strongest images
A_BUCKET = 6  # images shown of each bucket
STRONG = 0.05  # share of the corpus that counts as strong responses
WORDS = 12  # that a unit pushes up most, and down most
RELATIVES = 6


@dataclass(frozen=True)
class GalleryImage:
    """One image of a gallery."""

    item: CorpusItem
    activation: float
    adds: float | None = None  # to the cosine with an answer, where the gallery is about one


@dataclass(frozen=True)
class ActivationRange:
    """Images whose activation lies in one interval."""

    low: float
    high: float
    count: int
    images: tuple[GalleryImage, ...]  # drawn at random, by the seed


@dataclass(frozen=True)
class FormRow:
    """How a unit treats photos, drawings or written words."""

    form: str
    strong: Share  # of the strongest responses, those that are of this form
    corpus: Share  # of all images, those that are of this form: what chance alone gives
    concept: Interval | None  # AUROC of the first name's images against others of the same form
    images: int  # of the first name


@dataclass(frozen=True)
class UnitReport:
    """One unit of one layer of one model, seen on one corpus."""

    model: str  # its title
    key: str  # of the model
    layer: str
    unit: int
    corpus: str
    images: int
    names: tuple[Name, ...]
    code: SparseCode | None
    spelling: Spelling | None
    strongest: tuple[GalleryImage, ...]
    used: tuple[GalleryImage, ...]  # images in whose answer `answer` the unit counts most
    answer: str
    buckets: tuple[ActivationRange, ...]
    counts: tuple[tuple[float, float, int], ...]  # histogram: low, high, images
    active: Share  # images with an activation above zero
    words_up: tuple[tuple[str, float], ...]  # change of the cosine for one more unit of activation
    words_down: tuple[tuple[str, float], ...]
    forms: tuple[FormRow, ...]
    similar: tuple[tuple[int, float], ...]  # unit, cosine of the directions
    correlated: tuple[tuple[int, float], ...]  # unit, correlation of the activations
    exact: bool  # what it adds to words and answers is exact; otherwise the tower's last step also scales it
    seed: int

    @property
    def title(self) -> str:
        """The number, with the first name above chance; where written words alone are evidence, letters or the word."""
        name = self.names[0] if self.names and self.names[0].above_chance else None
        if name and name.beyond_the_word:
            return f"unit {self.unit}: {name.title}"
        if self.spelling and self.spelling.names_it:
            return f"unit {self.unit}: written words {self.spelling.pattern}"
        return f"unit {self.unit}: {name.title}" if name else f"unit {self.unit}"


def report(atlas: Atlas, unit: int, *, model: tuple[str, str], answer: str = "", seed: int = 0) -> UnitReport:
    """Collect everything about a unit; no model is asked.

    Args:
        atlas: of the layer.
        unit: its number.
        model: title and key.
        answer: a word of the vocabulary for the gallery "used most"; the first name where empty.
        seed: of the shuffles, and of the images drawn from each bucket.

    Raises:
        BadInput: the layer has no such unit.
    """
    check_unit(unit, atlas.units, atlas.survey.layer)
    direction = None if atlas.directions is None else atlas.directions[:, [unit]]
    names = name_units(atlas.evidence, [unit], directions=atlas.directions, seed=seed)[0]
    answer = answer if answer in atlas.lexicon.words else names[0].name
    up, down = pushed(atlas, unit)
    values = atlas.survey.of(unit)
    counts, edges = np.histogram(values, bins=24)
    return UnitReport(
        *model,
        atlas.survey.layer,
        unit,
        atlas.corpus,
        len(values),
        tuple(names),
        None if direction is None else sparse_code(direction[:, 0], atlas.lexicon, seed=seed),
        spelling(atlas.survey, unit, seed=seed),
        _shown(atlas, values, np.argsort(-values, kind="stable")[:SHOWN]),
        _used(atlas, unit, answer),
        answer,
        buckets(atlas, unit, seed=seed),
        tuple((float(a), float(b), int(n)) for a, b, n in zip(edges, edges[1:], counts, strict=False)),
        proportion(int((values > 0).sum()), len(values)),
        up,
        down,
        tuple(_form_row(atlas, values, form, names[0].name) for form in FORMS if _of_form(atlas, form).any()),
        _nearest(_cosines(atlas.directions, unit), unit) if atlas.directions is not None else (),
        _nearest(_cosines(atlas.survey.values - atlas.survey.values.mean(axis=0), unit), unit),
        atlas.linear,
        seed,
    )


def buckets(atlas: Atlas, unit: int, *, seed: int = 0) -> tuple[ActivationRange, ...]:
    """Divide the range of activation into intervals of equal width, zero apart, and draw images from each."""
    values = atlas.survey.of(unit)
    generator = np.random.default_rng(seed)
    ranges = []
    for low, high, inside in _intervals(values):
        members = np.flatnonzero(inside)
        chosen = np.sort(generator.permutation(members)[:A_BUCKET])
        images = _shown(atlas, values, chosen[np.argsort(-values[chosen], kind="stable")])
        ranges.append(ActivationRange(low, high, len(members), images))
    return tuple(reversed(ranges))


def pushed(atlas: Atlas, unit: int) -> tuple[tuple[tuple[str, float], ...], tuple[tuple[str, float], ...]]:
    """Words whose cosine the unit raises most and lowers most, what is common to all words taken away.

    Exact where an average and a projection follow; attention pooling and a last norm scale it, image by image. Empty
    in layers below the last, where a unit's effect depends on the image.
    """
    if atlas.directions is None:
        return (), ()
    rows = atlas.lexicon.rows - atlas.lexicon.rows.mean(axis=0)
    change = rows @ atlas.directions[:, unit]
    order = np.argsort(-change, kind="stable")
    pair = [(atlas.lexicon.words[place], float(change[place])) for place in order]
    return tuple(pair[:WORDS]), tuple(reversed(pair[-WORDS:]))


def _intervals(values: NDArray[np.float32]) -> list[tuple[float, float, NDArray[np.bool_]]]:
    low, high = float(values.min()), float(values.max())
    if low == high:
        return [(low, high, np.ones(len(values), dtype=bool))]
    edges = np.linspace(low, high, BUCKETS + 1)
    last = len(edges) - 2
    rows = [
        (float(a), float(b), (values >= a) & ((values < b) | (number == last)) & (values != 0))
        for number, (a, b) in enumerate(itertools.pairwise(edges))
    ]
    zero = values == 0
    where = sum(a < 0 for a, _, _ in rows)
    return [*rows[:where], (0.0, 0.0, zero), *rows[where:]] if zero.any() else rows


def _shown(atlas: Atlas, values: NDArray[np.float32], order: NDArray[np.intp]) -> tuple[GalleryImage, ...]:
    return tuple(GalleryImage(atlas.survey.items[n], float(values[n])) for n in order)


def _used(atlas: Atlas, unit: int, answer: str) -> tuple[GalleryImage, ...]:
    """Images where the unit adds most to the cosine with a word beyond what it adds to words on average."""
    if atlas.directions is None:
        return ()
    rows = atlas.lexicon.rows
    row = rows[atlas.lexicon.words.index(answer)] - rows.mean(axis=0)
    values = atlas.survey.of(unit)
    lengths = np.linalg.norm(atlas.embedded, axis=1).clip(1e-9) if atlas.linear else 1.0
    adds = values * float(row @ atlas.directions[:, unit]) / lengths
    order = np.argsort(-adds, kind="stable")[:SHOWN]
    return tuple(GalleryImage(atlas.survey.items[n], float(values[n]), float(adds[n])) for n in order)


def _form_row(atlas: Atlas, values: NDArray[np.float32], form: str, name: str) -> FormRow:
    own = _of_form(atlas, form)
    strong = np.argsort(-values, kind="stable")[: max(1, round(STRONG * len(values)))]
    concept = np.array([item.concept == name for item in atlas.survey.items]) & own
    area = auroc(values[own], concept[own]) if concept.any() else None
    return FormRow(
        form,
        proportion(int(own[strong].sum()), len(strong)),
        proportion(int(own.sum()), len(own)),
        area,
        int(concept.sum()),
    )


def _of_form(atlas: Atlas, form: str) -> NDArray[np.bool_]:
    return np.array([item.form == form for item in atlas.survey.items])


def _cosines(columns: NDArray[np.float32], unit: int) -> NDArray[np.float32]:
    lengths = np.linalg.norm(columns, axis=0).clip(1e-9)
    cosines: NDArray[np.float32] = (columns.T @ columns[:, unit]) / (lengths * lengths[unit])
    return cosines


def _nearest(likeness: NDArray[np.float32], unit: int) -> tuple[tuple[int, float], ...]:
    order = [int(other) for other in np.argsort(-likeness, kind="stable") if other != unit][:RELATIVES]
    return tuple((other, float(likeness[other])) for other in order)
