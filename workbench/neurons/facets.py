"""Facets: what tells photos, drawings, written words or the images of a folder apart, as a direction of a lower layer.

Source:
    Goh et al. 2021, doi:10.23915/distill.00030, appendix "Faceted feature visualization".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadInput, Unsupported
from workbench.neurons.activations import Looking, Survey, join, survey
from workbench.neurons.corpus import FORMS, CorpusItem, built_in
from workbench.neurons.visualisation import Facet
from workbench.progress import Progress
from workbench.statistics.intervals import proportion

DEPTH = 0.6  # of the tower: where the probe looks
MOST = 80  # images of the facet, and as many others
FEWEST = 8
STRENGTH = 10.0  # L2 penalty of the probe


def facet_layer(model: Looking, layer: str) -> str:
    """Return the layer that facets of units of `layer` are learned on.

    Raises:
        Unsupported: no layer lies below it.
    """
    names = list(model.anatomy.layers)
    below = names[: names.index(layer)]
    if not below:
        raise Unsupported(f"A facet is learned on a layer below; {layer} is the first of this tower.")
    return below[min(int(DEPTH * len(names)), len(below) - 1)]


def facet_items(name: str, own: Sequence[CorpusItem] = (), *, seed: int = 0) -> tuple[list[CorpusItem], list[bool]]:
    """Return images of a facet and as many others, mixed, and which are of the facet.

    Args:
        name: photo, drawing or word; or any name, with `own` images.
        own: images of the facet, where it is none of the built-in ones.
        seed: of the choice.

    Raises:
        BadInput: an unknown facet, or too few images.
    """
    if not own and name not in FORMS:
        raise BadInput(f"A facet is {', '.join(FORMS)} or a folder of images; got {name!r}.")
    generator = np.random.default_rng(seed)
    inside = list(own) or [item for item in built_in() if item.form == name]
    outside = [item for item in built_in() if own or item.form != name]
    if len(inside) < FEWEST:
        raise BadInput(f"A facet needs at least {FEWEST} images; {name!r} has {len(inside)}.")
    count = min(len(inside), MOST)
    chosen = [(inside[n], True) for n in generator.permutation(len(inside))[:count]]
    chosen += [(outside[n], False) for n in generator.permutation(len(outside))[:count]]
    mixed = [chosen[n] for n in generator.permutation(len(chosen))]
    return [item for item, _ in mixed], [is_inside for _, is_inside in mixed]


def learn_facet(
    model: Looking,
    name: str,
    layer: str,
    *,
    own: Sequence[CorpusItem] = (),
    seed: int = 0,
    check: Callable[[], None] = lambda: None,
) -> Iterator[Progress | Facet]:
    """Yield progress, and the facet at the end.

    Args:
        model: a session or a loaded model.
        name: of the facet; see `facet_items`.
        layer: the unit's.
        own: images of the facet, where it is none of the built-in ones.
        seed: of the choice of images.
        check: called while waiting; may raise to stop.

    Raises:
        BadInput: an unknown facet, or too few images that can be opened.
        Unsupported: no layer lies below.
    """
    below = facet_layer(model, layer)
    items, inside = facet_items(name, own, seed=seed)
    parts = []
    for step in survey(model, items, below, check=check):
        if isinstance(step, Survey):
            parts.append(step)
        else:
            yield step
    seen = join(parts)
    truth = dict(zip((item.key for item in items), inside, strict=True))
    shown = np.array([truth[item.key] for item in seen.items])
    yield fit_facet(name, below, values=seen.values, inside=shown)


def fit_facet(name: str, layer: str, *, values: NDArray[np.float32], inside: NDArray[np.bool_]) -> Facet:
    """Fit a probe on (n, units) activations; tested on the second half of them, then fitted on all.

    Raises:
        BadInput: one of the two kinds is missing in one of the halves.
    """
    from workbench.probes.logistic import solve

    mean, spread = values.mean(axis=0), values.std(axis=0)
    scaled = (values - mean) / np.where(spread > 1e-6, spread, np.inf)
    y, half = inside.astype(np.intp), len(values) // 2
    tried = solve(scaled[:half], y[:half], STRENGTH)
    right = tried.logits(scaled[half:]).argmax(axis=1) == y[half:]
    fitted = solve(scaled, y, STRENGTH).coefficients
    along = (fitted[:, 1] - fitted[:, 0]) / np.where(spread > 1e-6, spread, np.inf)
    weights = (along / max(float(np.abs(along).mean()), 1e-12)).astype(np.float32)
    own, others = (float((values[rows] @ weights).mean()) for rows in (inside, ~inside))
    accuracy = proportion(int(right.sum()), len(right))
    return Facet(name, layer, weights, accuracy, (own + others) / 2, max((own - others) / 2, 1e-6))
