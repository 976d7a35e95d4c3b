"""All units of a layer as points: where each lies, what it is called, how often it is active, which form it prefers.

A name counts where its score is above that of 19 in 20 shuffled units (see `naming`); a form counts where it is more
frequent among the unit's strongest images than in the corpus, its interval included.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.errors import Unsupported, unknown_name
from workbench.neurons.atlas import Atlas
from workbench.neurons.corpus import FORMS
from workbench.neurons.naming import Name, scores
from workbench.neurons.unit import STRONG
from workbench.retrieval.projection import project
from workbench.statistics.intervals import proportion

PLACED_BY = {
    "direction": "direction in the joint space",
    "words": "scores of all words",
    "activations": "activations on the corpus",
}
CHANCE = 95  # percentile of the best scores of shuffled units, above which a name counts
DENSITIES = ((0.05, "active on under 5 %"), (0.2, "5 to 20 %"), (0.5, "20 to 50 %"), (0.8, "50 to 80 %"))
DENSEST = "80 % and more"
SEVERAL, NONE = "several forms", "no form more than others"


@dataclass(frozen=True, eq=False)
class UnitMap:
    """The units of a layer, u of them."""

    positions: NDArray[np.float32]  # (u, 2)
    explained: float | None  # share of the variance on both axes, 0..1; None for UMAP
    names: tuple[str, ...]  # u titles; "" where no word stands out more than for a shuffled unit
    scores: NDArray[np.float32]  # (u,) of the best word
    limit: float  # what a name's score must exceed
    density: NDArray[np.float64]  # (u,) share of the corpus with an activation above 0
    forms: tuple[str, ...]  # u; a form, SEVERAL or NONE

    @property
    def densities(self) -> list[str]:
        """Name the range of each unit's density."""
        return [next((name for high, name in DENSITIES if value < high), DENSEST) for value in self.density]


def unit_map(atlas: Atlas, *, by: str = "direction", method: str = "pca", seed: int = 0) -> UnitMap:
    """Put all units of a layer on a map.

    Args:
        atlas: of the layer.
        by: one of `PLACED_BY`; what lies close together is alike in it.
        method: "pca" or "umap".
        seed: of the shuffled units and of UMAP.

    Raises:
        UnknownName: no such map or projection.
        Unsupported: directions of a layer below the last, or UMAP that is not installed.
    """
    if by not in PLACED_BY:
        raise unknown_name("map of units", by, PLACED_BY)
    if by == "direction" and atlas.directions is None:
        raise Unsupported(
            "Below the last layer a unit has no fixed direction in the joint space; place the units by words or by "
            "activations."
        )
    evidence, values = atlas.evidence, atlas.survey.values
    kinds = evidence.kinds(values, atlas.directions, dissection=False)
    total = scores(kinds)
    generator = np.random.default_rng(seed)
    mixed = None if atlas.directions is None else generator.permuted(atlas.directions, axis=0)
    chance = scores(evidence.kinds(evidence.shuffled(values, generator), mixed, dissection=False)).max(axis=0)
    best, limit = total.max(axis=0), float(np.percentile(chance, CHANCE))
    names = []
    for unit, place in enumerate(total.argmax(axis=0).tolist()):
        reasons = {kind: float(table[place, unit]) for kind, table in kinds.items()}
        names.append(Name(atlas.lexicon.words[place], float(best[unit]), float(chance.mean()), limit, reasons))
    rows = {"direction": atlas.directions, "words": total, "activations": values - values.mean(axis=0)}[by]
    assert rows is not None
    lengths = np.linalg.norm(rows, axis=0).clip(1e-9)
    placed = project((rows / lengths).T, np.zeros((0, len(rows)), np.float32), method=method, seed=seed)
    return UnitMap(
        placed.positions,
        placed.explained,
        tuple(name.title if name.above_chance else "" for name in names),
        best,
        limit,
        (values > 0).mean(axis=0),
        preferred_forms(atlas),
    )


def preferred_forms(atlas: Atlas) -> tuple[str, ...]:
    """Say of each unit which form its strongest images have more often than the corpus."""
    values = atlas.survey.values
    forms = np.array([item.form for item in atlas.survey.items])
    count = max(1, round(STRONG * len(values)))
    strongest = forms[np.argsort(-values, axis=0, kind="stable")[:count]]  # (count, u)
    present = [form for form in FORMS if (forms == form).any()]
    shares = [float((forms == form).mean()) for form in present]
    counts = [(strongest == form).sum(axis=0).tolist() for form in present]
    above = np.array(
        [[_above(k, count, share) for k in row] for row, share in zip(counts, shares, strict=True)]
    )  # (forms, u)
    return tuple(
        SEVERAL if column.sum() > 1 else NONE if not column.any() else present[int(column.argmax())]
        for column in above.T
    )


@functools.cache
def _above(k: int, n: int, share: float) -> bool:
    low = proportion(k, n).low
    return low is not None and low > share
