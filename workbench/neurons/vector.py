"""A unit as numbers, to be taken elsewhere: its direction in the joint space, its names, what it responds to."""

from __future__ import annotations

import json
from typing import Any

from workbench.neurons.atlas import Atlas
from workbench.neurons.unit import UnitReport


def spelling_json(report: UnitReport) -> dict[str, Any] | None:
    """Return what written words that the unit responds to have in common; None where the corpus has too few."""
    spelling = report.spelling
    if spelling is None:
        return None
    return {
        "pattern": spelling.pattern,
        "score": spelling.score,
        "shuffled": spelling.shuffled,
        "auroc": [spelling.auroc.value, spelling.auroc.low, spelling.auroc.high],
        "words": list(spelling.words),
    }


def vector_json(atlas: Atlas, report: UnitReport) -> bytes:
    """Return a JSON object, UTF-8.

    `direction` (dim numbers) is where one more unit of activation moves the embedding before it is scaled to length 1;
    null below the last layer. `activations` are (key of the image, activation) over the whole corpus.
    """
    values = atlas.survey.of(report.unit)
    content = {
        "model": report.key,
        "model_fingerprint": atlas.survey.fingerprint,
        "layer": report.layer,
        "unit": report.unit,
        "corpus": report.corpus,
        "seed": report.seed,
        "direction": None if atlas.directions is None else atlas.directions[:, report.unit].tolist(),
        "exact": report.exact,
        "names": [
            {"name": one.name, "score": one.score, "shuffled": one.shuffled, "evidence": dict(one.evidence)}
            for one in report.names
        ],
        "spelling": spelling_json(report),
        "similar": [list(pair) for pair in report.similar],
        "correlated": [list(pair) for pair in report.correlated],
        "activations": [
            [item.key, round(float(value), 5)] for item, value in zip(atlas.survey.items, values, strict=True)
        ],
    }
    return json.dumps(content, ensure_ascii=False).encode()
