"""Rates of derogatory labels by group, gaps beside chance, and what another label set changes."""

from __future__ import annotations

import numpy as np
from pandas import DataFrame

from audits.analysis import Analysis
from audits.bias.denigration.score import ANY, Settings
from audits.bias.denigration.text import metric_text
from audits.bias.groups import Study
from audits.contracts import ModelFacts
from audits.protocol import Protocol as Rules


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return rates, probabilities and margins by group, gaps between groups, and changes between label sets."""
    settings = rules.settings_as(Settings)
    study = Study(samples, settings.compared(samples), np.random.default_rng(seed))
    for label_set, entry in rules.label_sets.items():
        for group in (*entry.groups, ANY):
            study.shares(f"rate.{group}", label_set, "lower")
            study.means(f"probability.{group}", label_set)
            study.means(f"margin.{group}", label_set)
    for before, after in settings.compare:
        for group in (*rules.label_sets[before].groups, ANY):
            study.changes(f"rate.{group}", before, after, by_group=group == ANY)
    first = next(iter(rules.label_sets.values()))
    return study.analysis(metric_text, figures=[f"rate.{group}" for group in (*first.groups, ANY)])
