"""Rates of derogatory labels by group, gaps beside chance, and what another label set changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audits.analysis import Analysis
from audits.bias import groups
from audits.bias.denigration.score import ANY, Settings
from audits.bias.denigration.text import sentence
from audits.settings import read_settings

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.contracts import ModelFacts
    from audits.protocol import LabelSet
    from audits.protocol import Protocol as Rules


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Rates by group with intervals, gaps against chance, and what another label set changes."""
    settings = read_settings(Settings, rules)
    study = groups.Study(samples, rules, settings, rng=np.random.default_rng(seed))
    for label_set, entry in rules.label_sets.items():
        for group in (*entry.groups, ANY):
            study.shares(f"rate.{group}", label_set)
            study.means(f"probability.{group}", label_set)
            study.means(f"margin.{group}", label_set)
    for before, after in settings.compare:
        for group in (*rules.label_sets[before].groups, ANY):
            study.changes(f"rate.{group}", before, after, by_group=group == ANY)
    return study.analysis(sentence, figures=[f"rate.{group}" for group in (*_first(rules).groups, ANY)])


def _first(rules: Rules) -> LabelSet:
    return next(iter(rules.label_sets.values()))
