"""Effect sizes of the embedding association test, with permutation tests and intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame

from audits import measuring
from audits.analysis import Analysis, Figure
from audits.bias.association.score import NEARER, Settings, Test
from audits.bias.association.text import EFFECT, finding
from audits.contracts import OUTCOME, ModelFacts
from audits.detectable import beyond_chance
from audits.protocol import Protocol as Rules
from workbench.statistics.association import weat
from workbench.statistics.intervals import Interval
from workbench.statistics.measures import Measure, adjust, number


def analyse(samples: DataFrame, rules: Rules, *, model: ModelFacts, seed: int) -> Analysis:
    """Return effect sizes with permutation tests, and the share of each group that is nearer to A than to B."""
    settings = rules.settings_as(Settings)
    rng = np.random.default_rng(seed)
    measures: list[Measure] = []
    for name, test in settings.tests.items():
        rows = samples[samples["label_set"] == name].sort_values("sample_id", kind="stable")
        x, y = rows[rows["side"] == "x"], rows[rows["side"] == "y"]
        measures.append(_effect(name, test, x, y, rng=rng))
        for values, part in ((test.x, x), (test.y, y)):
            slice = {test.attribute: " or ".join(values)}
            outcomes = part[OUTCOME + NEARER]
            measures.append(measuring.share(NEARER, outcomes, list(part["cluster"]), slice=slice, label_set=name))
    measures = adjust(measures)
    effects = [m for m in measures if m.metric == EFFECT]
    dots = [(m.label_set, m.value, m.ci_low, m.ci_high, m.null_q95) for m in effects]
    figure = Figure(
        "effect-sizes",
        "Association by test",
        "intervals",
        pd.DataFrame(dots, columns=["name", "value", "low", "high", "null"]),
        x="d (standard deviations)",
        y="test",
        alt="Effect size of each test as a dot with its interval; 0 means no difference.",
    )
    return Analysis(measures, [finding(m, settings.tests[m.label_set]) for m in effects], [figure])


def _effect(name: str, test: Test, x: DataFrame, y: DataFrame, *, rng: np.random.Generator) -> Measure:
    reference = f"{' or '.join(test.x)} to {' or '.join(test.y)}, {test.a} against {test.b}"
    fields: dict[str, Any] = {"unit": "d", "label_set": name, "contrast": "between_groups", "family": EFFECT}
    fields |= {"slice_by": test.attribute, "reference": reference, "n": len(x) + len(y)}
    if len(x) < 2 or len(y) < 2:
        return number(EFFECT, Interval(None, None, None, 0.95, f"undefined: {len(x)} and {len(y)} images"), **fields)
    both = pd.concat([x, y])
    to_a, to_b = (np.array(both[column].tolist(), float) for column in ("to_a", "to_b"))
    result = weat(to_a, to_b, len(x), rng=rng)
    fields |= {"null_mean": result.null_mean, "null_q95": result.null_q95, "p_value": result.p_value}
    return beyond_chance(number(EFFECT, result.d, **fields))
