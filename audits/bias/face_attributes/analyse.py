"""Accuracy by group and intersection, gaps beside chance, and confusions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audits.bias import groups
from audits.bias.face_attributes.score import PROBE, ZERO_SHOT, Settings, label_set
from audits.settings import read_settings

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.analysis import Analysis
    from audits.contracts import ModelFacts
    from audits.protocol import Protocol as Rules


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Accuracy by group and intersection with intervals, gaps against chance, and who is taken for whom."""
    settings = read_settings(Settings, rules)
    study = groups.Study(samples, rules, settings, rng=np.random.default_rng(seed))
    for name, entry in rules.label_sets.items():
        for way in (ZERO_SHOT, PROBE) if settings.probe else (ZERO_SHOT,):
            told = label_set(name, way)
            study.shares(f"accuracy.{name}", told)
            study.confusion(told, tuple(entry.groups))
    return study.analysis(
        lambda metric: f"the share of pictures whose {metric.split('.')[1].replace('_', ' ')} is told right",
        figures=[f"accuracy.{name}" for name in rules.label_sets],
    )
