"""Accuracy by group and intersection, gaps beside chance, and confusion matrices."""

from __future__ import annotations

import numpy as np
from pandas import DataFrame

from audits.analysis import Analysis
from audits.bias.face_attributes.score import PROBE, ZERO_SHOT, Settings, label_set
from audits.bias.groups import Study
from audits.contracts import ModelFacts
from audits.equal_odds import METRIC
from audits.protocol import Protocol as Rules


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return accuracy by group and intersection with gaps, and the confusion matrix of each attribute and method."""
    settings = rules.settings_as(Settings)
    study = Study(samples, settings.compared(samples), np.random.default_rng(seed))
    for name, entry in rules.label_sets.items():
        for method in (ZERO_SHOT, PROBE) if settings.probe else (ZERO_SHOT,):
            study.shares(f"accuracy.{name}", label_set(name, method), "higher", answer=name)
            study.confusion(label_set(name, method), tuple(entry.groups))
            study.odds(label_set(name, method), seed=seed)
    return study.analysis(
        lambda metric: (
            "a rate of right or wrong labels (equalised odds)"
            if metric == METRIC
            else f"the accuracy of {metric.split('.')[1].replace('_', ' ')}"
        ),
        figures=[f"accuracy.{name}" for name in rules.label_sets],
    )
