"""Objectives: what attribution explains, and what attacks, feature visualisation and generation maximise.

    objective = text("a cat", cat) - 0.3 * text("a dog", dog) - 0.1 * TotalVariation()
    values = objective(box, pixels)  # (n,), high where the images show what is wanted
    str(objective)  # "text 'a cat' - 0.3 * text 'a dog' - 0.1 * total variation"

Objectives are small frozen objects without a model in them, so that they can be pickled and shown to people.
"""

from __future__ import annotations

from workbench.objectives.algebra import Forward, Objective
from workbench.objectives.embedding import Cosine, Directional, LogOdds, image, text
from workbench.objectives.pixels import Asymmetry, Distance, OutsideRange, TotalVariation
from workbench.objectives.units import Direction, Faceted, Manner, Sameness, UnitActivation, UnitShare, Waking

__all__ = [
    "Asymmetry",
    "Cosine",
    "Direction",
    "Directional",
    "Distance",
    "Faceted",
    "Forward",
    "LogOdds",
    "Manner",
    "Objective",
    "OutsideRange",
    "Sameness",
    "TotalVariation",
    "UnitActivation",
    "UnitShare",
    "Waking",
    "image",
    "text",
]
