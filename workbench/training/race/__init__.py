"""The race of objectives: equal image towers learn equal images and captions, each from another objective.

It repeats figure 2 of the paper in miniature. Radford et al. 2021, arXiv:2103.00020, section 2.3.
`run.race` is what trains, and imports torch.
"""

from __future__ import annotations

from workbench.training.race.results import RaceResult, RunnerCurve, conclude, image_ratio, watched
from workbench.training.race.settings import OBJECTIVES, RaceSettings, Runner, dial

__all__ = [
    "OBJECTIVES",
    "RaceResult",
    "RaceSettings",
    "Runner",
    "RunnerCurve",
    "conclude",
    "dial",
    "image_ratio",
    "watched",
]
